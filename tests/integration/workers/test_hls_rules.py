"""Finished streams hold to RFC 8216 and Apple's rules; and the table of rules finds what breaks them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from storage.model.job import JobState
from storage.objects.local import LocalObjectStore
from storage.services import Services
from storage.settings import Settings
from tests.support.driving import drive
from tests.support.hls_rules import RULES, broken_rules
from tests.support.job_store import OwnJobStore
from tests.support.memory_publisher import MemoryPublisher
from tests.support.results import made

SECONDS = 12
WORDS = "1\n00:00:01,000 --> 00:00:02,000\nHello.\n\n2\n00:00:08,000 --> 00:00:09,500\nAnd again.\n"
MASTER = "master.m3u8"
# What is changed in which playlist, and the section of the rule that finds it.
BROKEN = [
    (MASTER, "#EXTM3U\n", "", "4.3.1.1"),
    ("480p/index.m3u8", "#EXT-X-VERSION:7", "#EXT-X-VERSION:5", "4.3.1.2"),
    ("480p/index.m3u8", "#EXT-X-TARGETDURATION:4", "#EXT-X-TARGETDURATION:1", "4.3.3.1"),
    ("audio/index.m3u8", "#EXT-X-TARGETDURATION:4", "#EXT-X-TARGETDURATION:5", "6.2.4: all"),
    ("480p/index.m3u8", "#EXT-X-ENDLIST\n", "", "4.3.3.4"),
    ("audio/index.m3u8", '#EXT-X-MAP:URI="init.mp4"\n', "", "4.3.2.5"),
    (MASTER, "TYPE=AUDIO,", "TYPE=AUDIO,FORCED=YES,", "4.3.4.1: what"),
    (MASTER, 'NAME="Korean"', 'NAME="English"', "4.3.4.1.1"),
    (MASTER, 'AUDIO="surround"', 'AUDIO="other"', "4.3.4.2.1"),
    (MASTER, 'LANGUAGE="ko"', 'LANGUAGE="Korean"', "4.3.4.1: languages"),
    (MASTER, ",mp4a.40.2", "", "4.3.4.2 and Apple, multivariant"),
    (MASTER, 'AUDIO="surround"', 'CLOSED-CAPTIONS=NONE,AUDIO="surround"', "4.3.4.2: if"),
    (MASTER, 'CHANNELS="2",', "", "Apple, audio"),
    (MASTER, "#EXT-X-STREAM-INF:BANDWIDTH=", "#EXT-X-STREAM-INF:BANDWIDTH=1,WAS=", "4.3.4.2 and Apple, declared"),
    ("480p/index.m3u8", "#EXTINF:1.", "#EXTINF:2.", "6.2.4 and Apple"),
    ("subtitles-0/00000.vtt", "X-TIMESTAMP-MAP", "X-TIME", "3.5"),
]


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the playlists of a film with two rungs, two languages, one of them in 5.1, and subtitles."""
    folder = tmp_path_factory.mktemp("rules")
    (folder / "words.srt").write_text(WORDS)
    inputs = ["-f", "lavfi", "-i", f"testsrc2=s=1280x720:r=25:d={SECONDS}"]
    inputs += ["-f", "lavfi", "-i", f"sine=300:d={SECONDS}", "-f", "lavfi", "-i", f"sine=500:d={SECONDS}"]
    inputs += ["-i", str(folder / "words.srt")]
    kinds = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-ac:a:0", "6", "-ac:a:1", "2", "-c:s", "srt"]
    languages = ["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=kor"]
    maps = [part for n in range(4) for part in ("-map", str(n))]
    film = folder / "film.mkv"
    command = ["ffmpeg", "-nostdin", "-v", "error", *inputs, *maps, *kinds, *languages, str(film)]
    subprocess.run(command, check=True, timeout=120)
    objects = LocalObjectStore(folder / "objects")
    objects.prepare()
    services = Services(OwnJobStore(), objects, MemoryPublisher())
    job = drive(services, Settings(data_dir=folder / "data"), film)
    assert (job.state, job.error) == (JobState.READY, None)
    return made(services, job, f"hls/{MASTER}").parent


def test_a_finished_stream_breaks_no_rule(stream: Path) -> None:
    """Of two rungs, two languages, 5.1 and subtitles."""
    assert broken_rules(stream / MASTER) == []


@pytest.mark.parametrize(("name", "was", "now", "section"), BROKEN, ids=[one[-1] for one in BROKEN])
def test_a_rule_that_is_broken_is_found(
    name: str, was: str, now: str, section: str, stream: Path, tmp_path: Path
) -> None:
    """Each of them, by one change to the stream."""
    shutil.copytree(stream, tmp_path / "hls")
    path = tmp_path / "hls" / name
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, now))
    assert any(rule.startswith(section) for rule in broken_rules(tmp_path / "hls" / MASTER))


def test_each_rule_is_broken_once() -> None:
    """So none of them is one that cannot fail."""
    found = [rule for rule, _ in RULES if any(rule.startswith(section) for *_, section in BROKEN)]
    assert len(found) == len(RULES)
