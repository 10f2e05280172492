"""The judge of `make test-files` itself: it finds each fault that is put into a result, and none in a right one."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from storage.model.job import JobState
from tests.files import boxes
from tests.files.comparing import Comparison, Source, Unlike, compare, read_source
from tests.files.explained import Explanation, explanations
from tests.files.listing import listing
from tests.files.printing import lines, summary
from tests.files.results import view_hls, view_mp4
from tests.files.running import Tried

SECONDS, RATE = 6, 25
PICTURES = f"testsrc2=size=192x108:rate={RATE}:duration={SECONDS}"
# Both ears have a voice of their own: tones that glide, in words of a third of a second.
_VOICE = "0.4*sin(2*PI*({low}*t+{glide}*t*t))*lt(mod(t,0.61),0.35)"
_LEFT, _RIGHT = _VOICE.format(low=300, glide=40), _VOICE.format(low=900, glide=-30)
SOUND = f"aevalsrc='{_LEFT}|{_RIGHT}':sample_rate=48000:duration={SECONDS}"
NOISE = f"anoisesrc=amplitude=0.3:sample_rate=48000:duration={SECONDS}"

_ANEW = "setpts=PTS-STARTPTS"

# Filters of picture and of sound that make the fault, and what the judge calls it.
FAULTS = {
    "sound late by 150 ms": ("null", f"adelay=150:all=1,atrim=end={SECONDS}", {"sound"}),
    "sound early by 100 ms": ("null", "atrim=start=0.1,asetpts=PTS-STARTPTS", {"sound"}),
    "last second of sound lost": ("null", f"atrim=end={SECONDS - 1}", {"sound"}),
    "a second of sound lost within": ("null", "volume=0:enable='between(t,2,3)'", {"sound"}),
    "no sound": ("null", "volume=0", {"sound"}),
    "one ear silent": ("null", "pan=stereo|c0=c0|c1=0*c1", {"sound"}),
    "ears changed over": ("null", "channelmap=1|0", {"sound"}),
    "sound of another": ("null", "asetrate=36000,aresample=48000,apad,atrim=end=6", {"sound"}),
    "mirrored": ("hflip", "anull", {"orientation", "picture"}),
    "upside down": ("vflip,hflip", "anull", {"orientation", "picture"}),
    "stretched": ("scale=192:144,setsar=1", "anull", {"picture", "shape"}),
    "squeezed between bars": ("scale=96:108,setsar=1,pad=192:108:48:0", "anull", {"picture"}),
    "a side of 10": ("scale=192:10,setsar=1", "anull", {"picture", "shape"}),
    "half the size": ("scale=96:54,setsar=1", "anull", {"shape"}),
    "frozen": (f"trim=end_frame=75,tpad=stop_mode=clone:stop={SECONDS * RATE - 75}", "anull", {"picture"}),
    "two pictures late from 3 s on": (
        f"split[a][b];[a]trim=end=3,tpad=stop_mode=clone:stop=2[c];[b]trim=3:5.92,{_ANEW}[d];[c][d]concat",
        "anull",
        {"picture"},
    ),
    "two segments exchanged": (
        f"split=4[a][b][c][d];[a]trim=0:1[e];[b]trim=3:5,{_ANEW}[f];[c]trim=1:3,{_ANEW}[g];[d]trim=5,{_ANEW}[h];[e][f][g][h]concat=4",
        "anull",
        {"picture"},
    ),
    "black": ("drawbox=t=fill:color=black", "anull", {"picture"}),
    "the last second cut": (f"trim=end={SECONDS - 1}", f"atrim=end={SECONDS - 1}", {"length", "sound"}),
    "a second longer": (f"tpad=stop_mode=clone:stop={RATE}", "anull", {"length"}),
    "twice as many pictures": ("fps=50", "anull", {"rate"}),
}


def encoded(path: Path, *options: str, graph: str = f"{PICTURES}[v];{SOUND}[a]") -> Path:
    """Write a clip of what a graph gives as [v] and [a]."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-filter_complex", graph, "-map", "[v]", "-map", "[a]"]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    subprocess.run([*command, *options, str(path)], check=True, timeout=60)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for the clips of this module."""
    return tmp_path_factory.mktemp("oracle")


@pytest.fixture(scope="module")
def source(folder: Path) -> Source:
    """Give a source as the judge reads it: two ears, and no two pictures alike."""
    return read_source(encoded(folder / "source.mp4", "-g", "50", "-bf", "2"))


def whats(found: Comparison) -> set[str]:
    """Return the kinds of what is unlike."""
    return {unlike.what for unlike in found.unlike}


def test_a_right_result_is_alike(source: Source, folder: Path) -> None:
    """Coded anew with other options, all of it is compared and nothing is unlike."""
    found = compare(source, [view_mp4(encoded(folder / "right.mp4", "-crf", "30"), "mp4")])
    assert found.unlike == ()
    assert found.seen > 40
    assert found.heard > 10
    assert [found.wanted, found.got] == pytest.approx([SECONDS, SECONDS], abs=0.05)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found(name: str, source: Source, folder: Path) -> None:
    """Each fault is called what it is, and nothing else is."""
    picture, sound, expected = FAULTS[name]
    graph = f"{PICTURES},{picture}[v];{SOUND},{sound},asetnsamples=1024[a]"
    found = compare(source, [view_mp4(encoded(folder / "spoiled.mp4", "-y", graph=graph), "mp4")])
    assert whats(found) == expected, found.unlike


def test_noise_where_silence_was_is_found(folder: Path) -> None:
    """A source that is silent has a silent result."""
    quiet = read_source(encoded(folder / "quiet.mp4", graph=f"{PICTURES}[v];{SOUND},volume=0[a]"))
    noisy = encoded(folder / "noisy.mp4", graph=f"{PICTURES}[v];{NOISE}[a]")
    assert whats(compare(quiet, [view_mp4(noisy, "mp4")])) == {"sound"}


def test_a_clock_that_begins_anew_begins_a_new_part(folder: Path) -> None:
    """Two recordings in one stream are both to be there, one behind the other."""
    first = encoded(folder / "first.ts")
    second = encoded(folder / "second.ts", graph=f"{PICTURES},hue=h=90,negate[v];{SOUND},areverse[a]")
    joined = folder / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    both = folder / "both.mp4"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(first), "-i", str(second), "-filter_complex"]
    graph = "[0:v][0:a][1:v][1:a]concat=n=2:v=1:a=1"
    subprocess.run([*command, graph, "-preset", "ultrafast", str(both)], check=True, timeout=60)
    read = read_source(joined)
    assert compare(read, [view_mp4(both, "mp4")]).unlike == ()
    assert whats(compare(read, [view_mp4(encoded(folder / "one.mp4"), "mp4")])) == {"length", "sound"}


def test_a_pause_stays_and_sound_keeps_its_place(folder: Path) -> None:
    """Pictures that begin after the sound and pause for two seconds: what is shown is the nearest one."""
    held = f"{PICTURES},trim=start=1,select='not(between(t,2.5,4.5))'"
    graph = f"{held}[v];{SOUND}[a]"
    paused = read_source(encoded(folder / "paused.mkv", "-fps_mode", "passthrough", graph=graph))
    right = f"{held},fps={RATE}:start_time=0,tpad=start_mode=clone[v];{SOUND}[a]"
    assert compare(paused, [view_mp4(encoded(folder / "held.mp4", graph=right), "mp4")]).unlike == ()
    closed = f"{held},setpts=N/{RATE}/TB[v];{SOUND}[a]"
    found = compare(paused, [view_mp4(encoded(folder / "closed.mp4", graph=closed), "mp4")])
    assert whats(found) == {"picture"}


def test_a_picture_in_mid_stream_keeps_its_own_shape(folder: Path) -> None:
    """A source that is turned in mid-stream is shown with bars; squeezed, it is unlike."""
    upright = "testsrc2=size=108x192:rate=25:duration=6,trim=start=3"
    parts = [encoded(folder / "wide.ts", graph=f"{PICTURES},trim=end=3[v];{SOUND},atrim=end=3[a]")]
    parts.append(encoded(folder / "tall.ts", "-copyts", graph=f"{upright}[v];{SOUND},atrim=start=3[a]"))
    turned = folder / "turned.ts"
    turned.write_bytes(b"".join(part.read_bytes() for part in parts))
    for shape, expected in (("scale=60:108,pad=192:108:66:0", set()), ("scale=192:108", {"picture"})):
        graph = f"{PICTURES},trim=end=3[w];{upright},setpts=PTS-STARTPTS,{shape},setsar=1[t];[w][t]concat[v];{SOUND}[a]"
        shown = view_mp4(encoded(folder / "canvas.mp4", "-y", graph=graph), "mp4")
        assert whats(compare(read_source(turned), [shown])) - {"sound"} == expected


def test_a_playlist_is_read_by_its_boxes(source: Source, folder: Path) -> None:
    """Fragments with B-pictures are in time by their boxes; where one is missing, that is seen."""
    fragmented = folder / "fragments.mp4"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", PICTURES, "-c:v", "libx264"]
    command += ["-pix_fmt", "yuv420p", "-x264-params", "keyint=50:min-keyint=50:scenecut=0:bframes=2"]
    command += ["-movflags", "+frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets", str(fragmented)]
    subprocess.run(command, check=True, timeout=60)
    data = fragmented.read_bytes()
    assert boxes.shown_times(data) == pytest.approx([n / RATE for n in range(SECONDS * RATE)], abs=1e-6)
    starts = _fragments(data)
    assert len(starts) == SECONDS // 2
    silent = replace(source, sounds={})
    whole = view_hls(_playlist(folder, data, starts), [], "hls")
    assert compare(silent, [whole]).unlike == ()
    broken = view_hls(_playlist(folder, data, [starts[0], starts[2]]), [], "hls")
    assert "length" in whats(compare(silent, [broken]))


def _fragments(data: bytes) -> list[tuple[int, int]]:
    """Return place and size of each moof with its mdat."""
    place, found = 0, list[tuple[int, int]]()
    while place < len(data):
        size, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        if kind == b"moof":
            found.append((place, size))
        elif kind == b"mdat":
            found[-1] = (found[-1][0], found[-1][1] + size)
        place += size
    return found


def _playlist(folder: Path, data: bytes, fragments: list[tuple[int, int]]) -> Path:
    """Write a playlist that names these fragments of two seconds."""
    (folder / "init.mp4").write_bytes(data[: _fragments(data)[0][0]])
    text = ['#EXT-X-MAP:URI="init.mp4"']
    for place, size in fragments:
        text += ["#EXTINF:2.0,", f"#EXT-X-BYTERANGE:{size}@{place}", "fragments.mp4"]
    path = folder / "index.m3u8"
    path.write_text("\n".join(text))
    return path


def test_the_sound_of_the_pictures_own_programme_is_wanted(folder: Path) -> None:
    """Where a stream has several programmes, the other's sound comes last in the file's order but is no choice."""
    path = folder / "programmes.ts"
    graph = f"{PICTURES}[v];{SOUND}[a];{NOISE}[r]"
    command = [
        "ffmpeg",
        "-nostdin",
        "-v",
        "error",
        "-filter_complex",
        graph,
        "-map",
        "[r]",
        "-map",
        "[v]",
        "-map",
        "[a]",
    ]
    programmes = ["-program", "title=radio:st=0", "-program", "title=tv:st=1:st=2"]
    subprocess.run([*command, *programmes, "-preset", "ultrafast", str(path)], check=True, timeout=60)
    found = listing(path)
    assert found.video is not None
    assert len(found.audio) == 1
    assert found.audio[0] > found.video


def test_what_is_unlike_is_printed_with_its_explanation() -> None:
    """A known fault is explained and does not count; the same fault of another file does."""
    known = (Explanation("odd*.mp4", "length", "It is a loop."),)
    unlike = Comparison(unlike=(Unlike("length", "mp4", "2 s for 4 s"),), got=2.0, wanted=4.0)
    odd, other = (Tried(name, str(JobState.READY), compared=unlike) for name in ("odd_1.mp4", "other.mp4"))
    assert [*lines(odd, known)][-1].endswith("explained: It is a loop.")
    assert summary([odd], known)[1] == 0
    assert summary([odd, other], known)[1] == 1
    assert "unlike: other.mp4" in summary([odd, other], known)[0]


def test_every_explanation_can_be_read() -> None:
    """Each has a file, what, and a reason."""
    kinds = {"length", "picture", "sound", "shape", "orientation", "rate", "state"}
    for one in explanations():
        assert one.what in kinds
        assert one.why.endswith(".")


def test_the_judge_shares_no_code_with_what_it_judges() -> None:
    """Nothing here imports the workers, but for driving a job through them."""
    for path in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.split(".")[0] in {"workers", "web"} for name in names), path.name
