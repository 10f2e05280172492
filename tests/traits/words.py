"""Subtitles, chapters and languages of a clip: what is put into it, and what has to come out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from storage.captions.cues import Cue
from storage.captions.reading import Format, cues_of
from storage.captions.webvtt import stamp
from storage.model.job import Job
from storage.model.languages import three_letters
from storage.services import Services
from tests.support.looking import look
from tests.support.results import made
from tests.support.texts import in_mp4
from tests.traits.timeline import Recording, output_rate, recording
from tests.traits.traits import LANGUAGES, Traits

CLOSE_MILLISECONDS = 40
_FIRST, _EVERY, _LASTING = 0.1, 0.7, 0.4  # seconds: when texts are shown, and for how long
_SHOWN = 3  # so many texts that are wrong are told
_LANGUAGE = re.compile(r'TYPE=AUDIO,.*LANGUAGE="([^"]*)"')


def texts_of(made_of: Recording, track: int) -> tuple[Cue, ...]:
    """Return the texts of a track on the recording's clock, in milliseconds."""
    count = int((made_of.picture_end - _FIRST) / _EVERY) + 1
    times = (_FIRST + number * _EVERY for number in range(count))
    return tuple(
        Cue(round(at * 1000), round((at + _LASTING) * 1000), f"{number} of {track}, \uac00\ub098 caf\u00e9")
        for number, at in enumerate(times)
    )


def chapters_of_clip(traits: Traits, made_of: Recording) -> tuple[tuple[float, float, str], ...]:
    """Return start, end (seconds on the recording's clock) and title of each chapter: equal parts of the pictures."""
    begin, parts = made_of.begin, traits.chapters
    lasting = (made_of.picture_end - begin) / parts if parts else 0.0
    return tuple((begin + n * lasting, begin + (n + 1) * lasting, f"Part {n}, \uac00") for n in range(parts))


def words_input(
    traits: Traits, target: Path, *, late: float, offset: float, inputs: int
) -> tuple[list[str], list[str]]:
    """Return inputs and options of the texts and chapters, behind so many other inputs; all is so much later."""
    given, options, made_of = list[str](), list[str](), recording(traits)
    for track, codec in enumerate(traits.texts):
        path = target.with_suffix(f".{track}.srt")
        path.write_text("".join(_blocks(texts_of(made_of, track), late)))
        given += ["-f", "srt", "-i", str(path)]
        options += ["-map", f"{inputs + track}:s", f"-c:s:{track}", codec]
        options += [f"-metadata:s:s:{track}", f"language={LANGUAGES[track]}"]
    if traits.chapters:
        path = target.with_suffix(".chapters")
        # ffmpeg moves what it writes by an offset, but no chapters.
        path.write_text(_listed(chapters_of_clip(traits, made_of), late + offset))
        given += ["-f", "ffmetadata", "-i", str(path)]
        options += ["-map_chapters", str(inputs + len(traits.texts))]
    for number, language in enumerate(traits.languages):
        options += [f"-metadata:s:a:{number}", f"language={language}"]
    return given, options


def words_unlike(traits: Traits, services: Services, job: Job) -> Iterator[str]:
    """Yield how languages, texts and chapters differ from what was put in."""
    assert job.plan is not None
    mp4 = made(services, job, f"{job.plan.rungs[-1].name}.mp4")
    looked = look(mp4)
    if traits.languages:
        master = made(services, job, "hls/master.m3u8").read_text()
        in_hls = tuple(map(three_letters, _LANGUAGE.findall(master)))
        named = tuple(sound.get("tags", {}).get("language") for sound in looked.sounds)
        yield from _other("HLS: languages", in_hls, traits.languages)
        yield from _other("MP4: languages", named, traits.languages)
    yield from _chapters_unlike(traits, job, looked.chapters)
    yield from _other("MP4: tracks of text", len(looked.texts), len(traits.texts))
    made_of = recording(traits)
    for track in range(len(traits.texts)):
        wanted = _on_timeline(texts_of(made_of, track), made_of.begin, job.plan.duration)
        whole = made(services, job, f"subtitles/{track}.vtt").read_text()
        for way, found in (("", cues_of(whole, Format.WEBVTT)), ("MP4, ", in_mp4(mp4, track))):
            yield from _texts_unlike(f"{way}text {track}", found, wanted, early=_may_begin_early(traits))


def _other(what: str, found: object, wanted: object) -> Iterator[str]:
    if found != wanted:
        yield f"{what}: {found} instead of {wanted}"


def _chapters_unlike(traits: Traits, job: Job, chapters: int) -> Iterator[str]:
    assert job.plan is not None
    made_of = recording(traits)
    wanted = [(begin - made_of.begin, title) for begin, _, title in chapters_of_clip(traits, made_of)]
    found = [(one.start, one.title) for one in job.plan.chapters]
    yield from _other("chapters", [title for _, title in found], [title for _, title in wanted])
    late = [at - right for (at, _), (right, _) in zip(found, wanted, strict=False)]
    most = CLOSE_MILLISECONDS / 1000
    yield from _other("late", [by for by in late if not -most <= by <= most + _may_begin_early(traits)], [])
    yield from _other("MP4: chapters", chapters, len(wanted))


def _on_timeline(cues: Sequence[Cue], begin: float, seconds: float) -> list[Cue]:
    """Return the texts on a timeline that begins then; our own code does not judge itself."""
    shift, end = round(begin * 1000), round(seconds * 1000)
    moved = (Cue(max(0, cue.start - shift), min(end, cue.end - shift), cue.text) for cue in cues)
    return [cue for cue in moved if cue.start < cue.end]


def _may_begin_early(traits: Traits) -> float:
    """Return by how many seconds a timeline that sound begins may be earlier: the first picture shows with a frame."""
    begins_with_sound = recording(traits).begin < 0
    return float(1 / output_rate(traits.exact_rate)) if begins_with_sound else 0.0


def _texts_unlike(way: str, found: Iterable[Cue], wanted: Sequence[Cue], *, early: float) -> Iterator[str]:
    """Yield what is wrong with texts; all of them may be later together, as the timeline may begin so `early`."""
    came = tuple(found)
    if [cue.text for cue in came] != [cue.text for cue in wanted]:
        yield f"{way}: {len(came)} of {len(wanted)}, {[cue.text for cue in came][:_SHOWN]}"
        return
    late = min(max(0, came[0].start - wanted[0].start), round(early * 1000))
    off = [cue for cue, right in zip(came, wanted, strict=True) if not _is_close(cue, right, late)]
    if off:
        yield f"{way}: {len(off)} at wrong times, {[(cue.start, cue.text) for cue in off][:_SHOWN]}"


def _is_close(cue: Cue, right: Cue, late: int) -> bool:
    return max(abs(cue.start - late - right.start), abs(cue.end - late - right.end)) <= CLOSE_MILLISECONDS


def _blocks(cues: Sequence[Cue], late: float) -> Iterator[str]:
    for number, cue in enumerate(cues, 1):
        yield f"{number}\n{stamp(cue.start / 1000 + late)} --> {stamp(cue.end / 1000 + late)}\n{cue.text}\n\n"


def _listed(chapters: Sequence[tuple[float, float, str]], late: float) -> str:
    lines = [";FFMETADATA1"]
    for begin, end, title in chapters:
        times = (f"START={round((begin + late) * 1000)}", f"END={round((end + late) * 1000)}")
        lines += ["[CHAPTER]", "TIMEBASE=1/1000", *times, f"title={title}"]
    return "\n".join(lines) + "\n"
