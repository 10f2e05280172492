"""Which tracks of text a plan takes, and what it says of the others."""

from __future__ import annotations

from typing import Any

import pytest

from storage.model.job_warnings import warning
from storage.model.plan import ClockPiece
from storage.model.timed_text import MOST_SUBTITLES, SubtitleSource, SubtitleTrack
from tests.unit.workers.planning.test_make_plan import planned, probed, video
from workers.planning.make_plan import choose_video
from workers.planning.subtitles import subtitle_sources, subtitles_left_out


def text(index: int, codec: str = "subrip", **fields: Any) -> dict[str, Any]:
    """Return ffprobe's description of a track of subtitles."""
    return {"index": index, "codec_type": "subtitle", "codec_name": codec, **fields}


def test_tracks_of_text_are_taken_as_they_are_told() -> None:
    """With language, title and marks; a title says what flags do not."""
    plan = planned(
        video(0),
        text(1, tags={"language": "eng", "title": "Full\n text"}, disposition={"default": 1}),
        text(2, "ass", tags={"language": "ger", "title": "Forced signs"}),
        text(3, "mov_text", disposition={"hearing_impaired": 1, "forced": 1}),
        text(4, "webvtt", tags={"title": "English SDH", "language": "en-US"}),
    )
    assert plan.subtitles == (
        SubtitleSource(SubtitleTrack("0", "en", "Full text", default=True), 1, "subrip"),
        SubtitleSource(SubtitleTrack("1", "de", "Forced signs", forced=True), 2, "ass"),
        SubtitleSource(SubtitleTrack("2", forced=True, sdh=True), 3, "mov_text"),
        SubtitleSource(SubtitleTrack("3", "en-US", "English SDH", sdh=True), 4, "webvtt"),
    )
    assert plan.warnings == ()


def test_pictures_are_named_by_their_languages() -> None:
    """Each once, and those that have none by a mark; what nobody can read is counted."""
    codecs = ("hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "xsub")
    languages = ("eng", "fre", "eng", "und")
    streams = [text(1 + n, codec, tags={"language": languages[n]}) for n, codec in enumerate(codecs)]
    plan = planned(video(0), *streams, text(9, "arib_caption"), text(10))
    assert [source.stream for source in plan.subtitles] == [10]
    assert plan.warnings == (
        warning("subtitle_pictures", n=4, languages="English, French, unknown"),
        warning("subtitle_left_out", n=1),
    )


JUMPING = (ClockPiece(0.0, 1.0, 0.0, position=500), ClockPiece(0.0, 1.0, -1.0, position=9000))


@pytest.mark.parametrize(
    ("pieces", "taken"),
    [((), ["subrip", "dvb_teletext", "mov_text", "ttml"]), (JUMPING, ["subrip", "dvb_teletext"]), (JUMPING[::-1], [])],
)
def test_where_the_clock_jumps_a_place_in_the_file_tells_the_piece(
    pieces: tuple[ClockPiece, ...], taken: list[str]
) -> None:
    """Tracks of which no place is known are counted; texts that ffmpeg makes of a track tell none."""
    texts = [text(1), text(2, "dvb_teletext"), text(3, "mov_text"), {**text(4), "codec_tag_string": "stpp"}]
    probe = probed(video(), *texts, text(5, "arib_caption"))
    sources = subtitle_sources(probe, choose_video(probe), pieces)
    assert [source.codec for source in sources] == taken
    jumps = (warning("subtitle_jumps", n=4 - len(taken)),) if len(taken) < 4 else ()
    assert subtitles_left_out(probe, sources, pieces) == (warning("subtitle_left_out", n=1), *jumps)


def test_there_are_only_so_many() -> None:
    """The rest is counted."""
    plan = planned(video(0), *(text(n) for n in range(1, MOST_SUBTITLES + 4)))
    assert len(plan.subtitles) == MOST_SUBTITLES
    assert plan.warnings == (warning("subtitle_left_out", n=3),)


@pytest.mark.parametrize("title", ["CC", "SDH", "English [Closed Captions]", "for the hearing impaired"])
def test_a_title_tells_of_sounds(title: str) -> None:
    """Programs that know no flag write it there."""
    assert planned(video(0), text(1, tags={"title": title})).subtitles[0].track.sdh
