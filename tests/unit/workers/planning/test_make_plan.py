"""From small probes made by hand to the plan: the choice of streams, the refusals, sizes, length and segments."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import RungsError
from storage.model.job_warnings import warning
from storage.model.plan import Plan, Segment
from tests.support import listings
from tests.support.matrices import MIRRORED, QUARTERS, told
from workers.planning.audio import choose_audio
from workers.planning.facts import Probe, parse_probe
from workers.planning.make_plan import PlanLimits, choose_video, make_plan
from workers.planning.packets import Listing
from workers.planning.picture_facts import Look

LIMITS = PlanLimits(max_pixels=8192 * 4352, max_seconds=12 * 3600, preset="veryfast", slots=2)
SECOND = listings.pictures([n / 25 for n in range(25)], keyframes=(0.0,))
NEVER_ENDING = listings.pictures([0.0, 30_000.0, 60_000.0])


def video(index: int = 0, **fields: Any) -> dict[str, Any]:
    """Return ffprobe's description of a 720p stream at 25 frames a second, fields replaced."""
    known = {"codec_type": "video", "codec_name": "h264", "width": 1280, "height": 720, "avg_frame_rate": "25/1"}
    return {"index": index, **known, **fields}


def sound(index: int = 1, **fields: Any) -> dict[str, Any]:
    """Return ffprobe's description of a stereo stream, fields replaced."""
    known = {"codec_type": "audio", "codec_name": "aac", "channels": 2, "sample_rate": "44100", "sample_fmt": "fltp"}
    return {"index": index, **known, **fields}


def probed(*streams: dict[str, Any], container: str = "mov,mp4,m4a,3gp,3g2,mj2") -> Probe:
    """Return the facts of a file with these streams."""
    return parse_probe({"streams": list(streams), "format": {"format_name": container, "start_time": "0"}})


def cut(*streams: dict[str, Any], packets: str = SECOND, heard: str = "") -> tuple[Plan, tuple[Segment, ...]]:
    """Return plan and segments for a file with these streams."""
    probe = probed(*streams)
    return make_plan(probe, choose_video(probe), listings.interleaved(packets, heard), LIMITS)


def planned(*streams: dict[str, Any], packets: str = SECOND, heard: str = "", limits: PlanLimits = LIMITS) -> Plan:
    """Return the plan for a file with these streams."""
    probe = probed(*streams)
    return make_plan(probe, choose_video(probe), listings.interleaved(packets, heard), limits)[0]


def times(frames: int, rate: Fraction, start: float = 0.0) -> str:
    """Return the packets of a constant source."""
    shown = [round(start + float(n / rate), 6) for n in range(frames)]
    return listings.pictures(shown, length=round(float(1 / rate), 6), keyframes=shown[:1])


DEFAULT = {"default": 1}
DOLBY_5 = {"dv_profile": 5, "dv_bl_signal_compatibility_id": 0}
COVER = {"default": 1, "attached_pic": 1}


@pytest.mark.parametrize(
    ("streams", "chosen"),
    [
        ([video(0), sound(1)], 0),
        ([video(0, disposition=COVER, codec_name="png"), video(1)], 1),
        ([video(0), video(1, disposition=DEFAULT)], 1),
        ([video(0, disposition=DEFAULT), video(1, disposition=DEFAULT)], 0),
        ([video(0), video(1, width=1920, height=1080)], 0),
        ([video(0, width=0, height=0), video(1)], 1),
        ([video(0, codec_name=""), video(1)], 1),
        ([sound(0), video(1)], 1),
    ],
    ids=["one", "cover", "default", "two defaults", "first of two", "no size", "no codec", "after sound"],
)
def test_the_video_that_people_mean_is_chosen(streams: list[dict[str, Any]], chosen: int) -> None:
    """The default stream that has pictures, else the first; cover art never."""
    assert choose_video(probed(*streams)).index == chosen


@pytest.mark.parametrize(
    ("streams", "chosen"),
    [
        ([video(0)], None),
        ([video(0), sound(1), sound(2)], 1),
        ([video(0), sound(1), sound(2, disposition=DEFAULT)], 2),
        ([video(0), sound(1, codec_name=""), sound(2)], 2),
        ([video(0), sound(1, codec_name="ac4", sample_fmt="", disposition=DEFAULT), sound(2)], 2),
        ([video(0), sound(1, channels=0)], None),
        ([video(0), sound(1, sample_rate="0")], None),
    ],
    ids=["silent", "first", "default", "unknown codec", "no decoder", "no channels", "no rate"],
)
def test_the_sound_that_can_be_decoded_is_chosen(streams: list[dict[str, Any]], chosen: int | None) -> None:
    """A track that nothing can decode is no track."""
    found = choose_audio(probe := probed(*streams), choose_video(probe))
    assert (None if found is None else found.index) == chosen


@pytest.mark.parametrize(
    ("streams", "container", "packets", "code"),
    [
        ([sound(0)], "mov", SECOND, "audio_only"),
        ([sound(0), video(1, disposition=COVER)], "mp3", SECOND, "audio_only"),
        ([sound(0), video(1)], "flac", SECOND, "audio_only"),
        ([video(0)], "jpeg_pipe", SECOND, "picture_only"),
        ([video(0)], "png_pipe", SECOND, "picture_only"),
        ([{"index": 0, "codec_type": "data"}], "mov", SECOND, "not_a_video"),
        ([{"index": 0, "codec_type": "subtitle"}], "matroska,webm", SECOND, "subtitles_only"),
        ([video(0, width=0, height=0)], "mpegts", SECOND, "no_frames"),
        ([video(0, codec_name="")], "mov", SECOND, "codec_unsupported"),
        ([video(0, codec_name="vvc")], "mov", SECOND, "codec_unsupported"),
        ([video(0, side_data_list=[DOLBY_5])], "mov", SECOND, "dolby_vision_only"),
        ([video(0)], "mov", "", "no_frames"),
        ([video(0, width=65535, height=65535)], "mov", SECOND, "picture_too_large"),
        ([video(0, width=16384, height=8192)], "avi", SECOND, "picture_too_large"),
        ([video(0, width=1, height=1080)], "matroska", SECOND, "picture_too_small"),
        ([video(0)], "mov", NEVER_ENDING, "too_long"),
    ],
)
def test_refusals_have_their_code(streams: list[dict[str, Any]], container: str, packets: str, code: str) -> None:
    """What cannot be encoded is refused before anything is decoded, by a stable code and a sentence."""
    probe = probed(*streams, container=container)
    with pytest.raises(RungsError) as refusal:
        make_plan(probe, choose_video(probe), listings.interleaved(packets), LIMITS)
    assert refusal.value.code == code
    assert refusal.value.message.endswith(".")


@pytest.mark.parametrize(
    ("stream", "packets", "sentence", "values"),
    [
        (
            video(width=16384, height=8192),
            SECOND,
            "The picture of this video is 16,384 x 8192, 134.2 megapixels; at most 35.7 can be encoded here.",
            {"width": 16384, "height": 8192, "megapixels": 134.217728, "limit": 35.651584},
        ),
        (
            video(width=1, height=1080),
            SECOND,
            "The picture of this video has 1 x 1080 pixels; both must be at least 16.",
            {"width": 1, "height": 1080, "side": 16},
        ),
        (
            video(),
            NEVER_ENDING,
            "This video lasts 1000 minutes; at most 720 can be encoded here.",
            {"minutes": pytest.approx(1000.0, abs=0.1), "limit": 720.0},
        ),
    ],
    ids=["large", "small", "long"],
)
def test_a_refusal_by_a_limit_says_the_limit(
    stream: dict[str, Any], packets: str, sentence: str, values: dict[str, float]
) -> None:
    """What would be taken stands beside what was found, in the sentence and as numbers for other languages."""
    with pytest.raises(RungsError) as refusal:
        planned(stream, packets=packets)
    assert (refusal.value.message, refusal.value.values) == (sentence, values)


def test_the_limits_themselves_pass() -> None:
    """A limit names the largest that is taken, not the smallest that is refused."""
    limits = replace(LIMITS, max_pixels=1280 * 720, max_seconds=1)
    assert planned(video(), limits=limits).frames == 25


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, (1280, 720)),
        ({"side_data_list": [told(QUARTERS[90])]}, (720, 1280)),
        ({"side_data_list": [told(QUARTERS[270])]}, (720, 1280)),
        ({"side_data_list": [told(QUARTERS[180])]}, (1280, 720)),
        ({"side_data_list": [told(MIRRORED[270])]}, (720, 1280)),
        ({"side_data_list": [told(MIRRORED[0])]}, (1280, 720)),
        ({"width": 720, "height": 576, "sample_aspect_ratio": "16:15"}, (768, 576)),
        ({"width": 720, "height": 480, "sample_aspect_ratio": "8:9"}, (720, 540)),
        ({"width": 640, "height": 360, "sample_aspect_ratio": "2:1"}, (1280, 360)),
        (
            {"width": 640, "height": 360, "sample_aspect_ratio": "2:1", "side_data_list": [told(QUARTERS[90])]},
            (360, 1280),
        ),
    ],
)
def test_the_displayed_size_is_what_a_viewer_sees(fields: dict[str, Any], shown: tuple[int, int]) -> None:
    """Pixel shape is applied by growing a side, and a quarter turn swaps the sides."""
    plan = planned(video(**fields))
    assert (plan.video.display_width, plan.video.display_height) == shown
    assert (plan.video.width, plan.video.height) == (fields.get("width", 1280), fields.get("height", 720))
    assert plan.warnings == ()


@pytest.mark.parametrize("aspect", ["65535:1", "1:65535", "11:1"])
def test_impossible_pixels_are_square_and_warned_of(aspect: str) -> None:
    """A header that lies costs a warning, not a picture of a kilometre."""
    plan = planned(video(sample_aspect_ratio=aspect))
    assert (plan.video.display_width, plan.video.display_height) == (1280, 720)
    assert plan.warnings == (warning("pixel_shape"),)


def test_the_timeline_is_as_long_as_the_pictures() -> None:
    """Ten seconds at 30000/1001 are 300 frames of one segment, on a grid of at least four seconds."""
    rate = Fraction(30_000, 1001)
    plan, segments = cut(video(avg_frame_rate="30000/1001"), sound(), packets=times(300, rate, start=1.4))
    assert (plan.rate, plan.frames, plan.tail_frames) == (rate, 300, 0)
    assert (plan.video.start_time, plan.preset, segments[0].threads) == (1.4, "veryfast", 2)


def test_a_single_frame_is_a_video() -> None:
    """One picture is shown for one frame."""
    assert planned(video(), packets=listings.pictures([0.0], length=0.0, keyframes=[0.0])).frames == 1


@pytest.mark.parametrize(
    ("start", "seconds", "first", "frames", "tail"),
    [
        (0.0, 1.02, 0.0, 25, 0),
        (0.0, 1.1, 0.0, 25, 0),
        (0.0, 1.4, 0.0, 35, 10),
        (0.0, 3.0, 0.0, 75, 50),
        (2.0, 2.0, 0.0, 100, 75),
        (0.0, 3700.0, 0.0, 92_500, 92_475),
        (-0.021, 0.9, 0.0, 25, 0),
        (-0.5, 0.9, -0.52, 38, 0),
        (-5.0, 1.0, -5.0, 150, 0),
        (-5.0, 10.0, -5.0, 250, 100),
    ],
    ids=["equal", "run-out", "longer", "tail", "late", "podcast", "run-in", "sooner", "long before", "around"],
)
def test_the_timeline_goes_from_the_first_picture_or_sound_to_the_last(
    start: float, seconds: float, first: float, frames: int, tail: int
) -> None:
    """Pictures stand while there is only something to hear, on the grid of the pictures; packets tell, not headers."""
    plan = planned(video(), sound(duration="1e300"), heard=listings.sound(start, seconds))
    assert (plan.frames, plan.tail_frames) == (frames, tail)
    assert plan.video.start_time == pytest.approx(first)


def test_a_long_tail_is_work_for_all_slots() -> None:
    """An hour of sound behind a picture is cut, and each part is decoded from the last picture on."""
    plan, segments = cut(video(), sound(), heard=listings.sound(0.0, 3600.0))
    assert plan.tail_frames == 90_000 - 25
    assert len(segments) > 4
    assert max(segment.frames for segment in segments) < 90_000 / 4


def test_a_pause_of_pictures_stays_a_pause_while_the_sound_goes_on() -> None:
    """A screen recorder writes no picture while nothing moves; the one before stands."""
    still = listings.pictures([*(n / 25 for n in range(50)), *(90 + n / 25 for n in range(50))], keyframes=(0.0, 90.0))
    for heard in (listings.sound(0.0, 92.0), ""):
        plan = planned(video(), *([sound()] if heard else []), packets=still, heard=heard)
        assert (plan.frames, plan.rate, plan.warnings) == (92 * 25, Fraction(25), ())


def test_joined_recordings_are_one_in_the_order_of_the_file() -> None:
    """The clock begins anew with pictures and sound together; a warning says where and by how much."""
    part = (SECOND, listings.sound(0.0, 1.0))
    probe = probed(video(), sound())
    plan, segments = make_plan(probe, choose_video(probe), listings.one_after_another(part, part, part), LIMITS)
    assert (plan.frames, plan.tail_frames, len(segments)) == (75, 0, 1)
    (audio,) = plan.audio
    assert [piece.shift for piece in plan.video.pieces] == pytest.approx([0.0, -1.0, -2.0])
    assert [piece.shift for piece in audio.pieces] == pytest.approx([0.0, -1.0, -2.0])
    (told,) = plan.warnings
    assert told.code == "parts_joined"
    assert told.values == pytest.approx({"at": 1.0, "by": -1.0, "n": 2}, abs=0.001)


@pytest.mark.parametrize(
    ("container", "declared", "told"),
    [
        ("mov,mp4,m4a,3gp,3g2,mj2", "20.0", True),
        ("matroska,webm", "20.0", True),
        ("flv", "20.0", True),
        ("mpegts", "20.0", False),
        ("mov,mp4,m4a,3gp,3g2,mj2", "1.5", False),
        ("mov,mp4,m4a,3gp,3g2,mj2", "N/A", False),
    ],
)
def test_a_file_that_ends_before_its_header_says_so_is_told(*, container: str, declared: str, told: bool) -> None:
    """Both lengths stand in the warning; containers without a header of their own tell only what was found."""
    facts = parse_probe({"streams": [video()], "format": {"format_name": container, "duration": declared}})
    plan, _ = make_plan(facts, choose_video(facts), listings.interleaved(SECOND), LIMITS)
    assert plan.warnings == ((warning("truncated", found=1.0, declared=20.0),) if told else ())
    assert plan.frames == 25


def test_fragments_that_count_their_decoding_are_not_cut_off() -> None:
    """A pause that reordered pictures are decoded ahead of is in the fragments' lengths, and not in what is seen."""
    lines = "".join(f"0|{8 + n / 25:.6f}|{n / 25 + (5 if n else 0):.6f}|0.04|N/A|K__\n" for n in range(25))
    container = {"format_name": "mov,mp4,m4a,3gp,3g2,mj2", "start_time": "8.0", "duration": "6.0"}
    facts = parse_probe({"streams": [video(start_time="8.0", duration="6.0")], "format": container})
    assert make_plan(facts, choose_video(facts), Listing.of(lines), LIMITS)[0].warnings == ()


@pytest.mark.parametrize(("counted", "told"), [({}, False), ({"nb_frames": "100"}, True)])
def test_of_fragments_only_the_longest_track_may_be_cut_off(*, counted: dict[str, str], told: bool) -> None:
    """Of one without a length of its own ffprobe says that of the file; tracks that are counted have one each."""
    times: dict[str, Any] = {"duration": "4.0", "time_base": "1/25"} | counted
    container = {"format_name": "mov,mp4,m4a,3gp,3g2,mj2", "duration": "4.0"}
    facts = parse_probe({"streams": [video(**times), sound(**times)], "format": container})
    lines = listings.interleaved(listings.pictures([n / 25 for n in range(100)]), listings.sound(0.4, 1.6))
    plan, _ = make_plan(facts, choose_video(facts), lines, LIMITS)
    assert [one.code for one in plan.warnings] == (["truncated"] if told else [])


def test_the_sound_is_that_of_the_pictures_programme() -> None:
    """A transponder's recording has a radio programme first; its sound belongs to no picture."""
    streams = [sound(0), video(1), sound(2)]
    programs = [{"streams": [sound(0)]}, {"streams": [video(1), sound(2)]}]
    facts = parse_probe({"streams": streams, "programs": programs, "format": {"format_name": "mpegts"}})
    found = choose_audio(facts, choose_video(facts))
    assert found is not None
    assert found.index == 2


@pytest.mark.parametrize(("channels", "made", "bitrate"), [(1, 1, 96_000), (2, 2, 128_000), (6, 2, 128_000)])
def test_sound_becomes_mono_or_stereo(channels: int, made: int, bitrate: int) -> None:
    """Mono stays mono, everything above stereo is mixed down."""
    (audio,) = planned(video(), sound(channels=channels)).audio
    assert (audio.channels, audio.bitrate, audio.sample_rate) == (made, bitrate, 44_100)


@pytest.mark.parametrize(("order", "expected"), [("tt", True), ("bb", True), ("progressive", False), ("", False)])
def test_only_declared_fields_are_deinterlaced(*, order: str, expected: bool) -> None:
    """The field order of the container decides."""
    assert planned(video(field_order=order)).video.interlaced is expected


@pytest.mark.parametrize(("profile", "compatible"), [(8, 1), (8, 2), (8, 4), (7, 6), (7, 0), (10, 1), (9, 2)])
def test_dolby_vision_with_a_picture_for_others_is_taken(profile: int, compatible: int) -> None:
    """Its base is SDR, HDR10 or HLG, and encoded as that."""
    record = {"dv_profile": profile, "dv_bl_signal_compatibility_id": compatible}
    assert planned(video(side_data_list=[record])).frames == 25


def test_dropped_tracks_are_named() -> None:
    """Who uploads four languages learns that one is in the result; cover art is missed by nobody."""
    subtitles = {"index": 4, "codec_type": "subtitle", "codec_name": "arib_caption"}
    cover = video(6, disposition={"attached_pic": 1})
    plan = planned(video(0), sound(1), sound(2), sound(3), subtitles, video(5), cover)
    assert plan.warnings == (
        warning("video_left_out", n=1),
        warning("audio_left_out", n=2),
        warning("subtitle_left_out", n=1),
    )


def marked(probe: Probe, index: int, **fields: Any) -> Probe:
    """Return the probe with what the headers say of a stream."""
    streams = (replace(found, **fields) if found.index == index else found for found in probe.streams)
    return replace(probe, streams=tuple(streams))


def test_a_track_in_a_codec_that_no_upload_may_reach_is_named() -> None:
    """It is neither taken, nor counted once more, nor waited for as if it came late."""
    probe = probed(video(0), sound(1, codec_name="", sample_rate=0), sound(2), sound(3, codec_name=""))
    probe = marked(marked(probe, 1, unlisted="sonic"), 3, unlisted="adpcm_ct")
    plan, _ = make_plan(probe, choose_video(probe), listings.interleaved(SECOND), LIMITS)
    (audio,) = plan.audio
    assert (audio.stream, plan.warnings) == (2, (warning("codec_left_out", n=2, codecs="adpcm_ct, sonic"),))
    assert all(stream.is_known for stream in probe.streams)
    assert plan.warnings[0].message == "Tracks left out because their codecs are not supported here: adpcm_ct, sonic."


def test_encrypted_pictures_are_refused_where_there_are_no_others() -> None:
    """A second picture in the clear is taken, whichever is the default one."""
    alone = marked(probed(video(0), sound(1)), 0, encrypted=True)
    with pytest.raises(RungsError) as refusal:
        choose_video(alone)
    assert refusal.value.code == "encrypted"
    beside = marked(probed(video(0, disposition=DEFAULT), video(1)), 0, encrypted=True)
    assert choose_video(beside).index == 1
    clear = listings.interleaved(listings.pictures([n / 25 for n in range(25)], index=1))
    plan, _ = make_plan(beside, choose_video(beside), clear, LIMITS)
    assert plan.warnings == (warning("video_encrypted", n=1),)


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"encrypted": True}, "audio_encrypted"), ({"pcm": "pcm_s24le"}, "audio_misread")],
)
def test_sound_that_would_be_noise_is_left_out(fields: dict[str, Any], code: str) -> None:
    """The next track is taken in its place, and a warning says why one is missing."""
    probe = marked(probed(video(0), sound(1, codec_name="pcm_s16le"), sound(2)), 1, **fields)
    plan, _ = make_plan(probe, choose_video(probe), listings.interleaved(SECOND), LIMITS)
    (audio,) = plan.audio
    assert (audio.stream, plan.warnings) == (2, (warning(code, n=1),))
    right = marked(probed(video(0), sound(1, codec_name="pcm_s24le")), 1, pcm="pcm_s24le")
    plan, _ = make_plan(right, choose_video(right), listings.interleaved(SECOND), LIMITS)
    assert (len(plan.audio), plan.warnings) == (1, ())


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ({"projection": "equirectangular"}, ["spherical"]),
        ({"views": "side by side"}, ["stereo_beside"]),
        ({"projection": "cubemap", "views": "top and bottom"}, ["spherical", "stereo_above"]),
        ({"views": "checkerboard"}, ["stereo"]),
    ],
)
def test_what_will_be_shown_flat_is_told(fields: dict[str, Any], codes: list[str]) -> None:
    """Projections and views are not kept, so viewers learn of them."""
    probe = marked(probed(video(0)), 0, **fields)
    plan, _ = make_plan(probe, choose_video(probe), listings.interleaved(SECOND), LIMITS)
    assert [found.code for found in plan.warnings] == codes


def test_a_raw_stream_is_encoded_in_one_piece() -> None:
    """There is nothing to seek by, and its pictures are counted."""
    facts = probed(video(), container="h264")
    listing = Listing.of("0|N/A|N/A|0.040000|N/A|K__\n" * 2500)
    plan, segments = make_plan(facts, choose_video(facts), listing, LIMITS)
    assert (plan.video.counted_rate, plan.frames, len(segments)) == ((25, 1), 2500, 1)


@given(
    frames=st.integers(1, 5000),
    rate=st.sampled_from([Fraction(24_000, 1001), Fraction(25), Fraction(30), Fraction(60_000, 1001)]),
    start=st.floats(-10, 5000),
    seconds=st.none() | st.floats(0, 10_000),
)
def test_segments_tile_the_timeline(frames: int, rate: Fraction, start: float, seconds: float | None) -> None:
    """Every output frame belongs to exactly one segment, in order, whatever the source."""
    heard = "" if seconds is None else listings.sound(start, seconds)
    plan, segments = cut(video(avg_frame_rate=str(rate)), sound(), packets=times(frames, rate, start), heard=heard)
    assert [segment.index for segment in segments] == list(range(plan.segment_count))
    assert segments[0].first_frame == 0
    assert all(one.first_frame + one.frames == next_.first_frame for one, next_ in pairwise(segments))
    assert segments[-1].first_frame + segments[-1].frames == plan.frames
    assert all(segment.frames > 0 for segment in segments)
    assert 0 <= plan.tail_frames < plan.frames


def planned_from_lines(seconds: int, every: int) -> tuple[Plan, tuple[Segment, ...], float]:
    """Plan a video from ffprobe's lines of its packets, not in order of their times; return the CPU seconds as well.

    `every` are the seconds between keyframes.
    """
    listed = "".join(
        f"0|{(n ^ 1) / 25:.6f}|{n / 25:.6f}|0.040000|N/A|{'___' if (n ^ 1) % (25 * every) else 'K__'}\n"
        for n in range(seconds * 25)
    )
    probe = probed(video(has_b_frames=1), sound(duration=f"{seconds}.0"))
    began = time.process_time()
    plan, segments = make_plan(probe, choose_video(probe), Listing.of(listed), replace(LIMITS, slots=64))
    return plan, segments, time.process_time() - began


@pytest.mark.parametrize("every", [2, 10])
def test_two_hours_are_planned(every: int) -> None:
    """180,000 packets become hundreds of segments for 64 slots."""
    plan, segments, _ = planned_from_lines(2 * 3600, every)
    assert plan.frames == 180_000
    assert len(segments) == plan.segment_count > 400


def test_planning_costs_as_much_as_the_video_is_long() -> None:
    """Four times the packets take about four times the CPU, not sixteen times: the best of three, in one run."""
    half_an_hour, two_hours = (min(planned_from_lines(seconds, 2)[2] for _ in range(3)) for seconds in (1800, 7200))
    assert two_hours < 8 * half_an_hour


def test_a_slow_installation_plans_smaller_segments() -> None:
    """How long encoding was found to take here bounds them; more of them make the same film."""
    film = listings.pictures([n / 25 for n in range(25 * 600)], keyframes=[2.0 * n for n in range(300)])
    ordinary = planned(video(0), packets=film)
    slow = planned(video(0), packets=film, limits=replace(LIMITS, pace=3.0))
    assert slow.frames == ordinary.frames
    assert slow.segment_count > 1.5 * ordinary.segment_count


def test_a_picture_that_grows_too_large_is_refused() -> None:
    """Though its header announces a small one, and though it does so for a moment only."""
    probe = probed(video())
    looks = (Look(0.0, 1280, 720), Look(0.5, 16384, 8192))
    with pytest.raises(RungsError) as refused:
        make_plan(probe, choose_video(probe), listings.interleaved(SECOND, ""), LIMITS, looks)
    assert refused.value.code == "picture_too_large"
    assert refused.value.values["width"] == 16384


def test_the_ladder_follows_the_picture_that_grows() -> None:
    """Rungs, fields and warnings are those of what the pictures are, not of what the header says."""
    probe = probed(video(width=320, height=180))
    looks = (Look(0.0, 320, 180), Look(2.0, 1920, 1080, interlaced=True))
    listing = listings.interleaved(times(200, Fraction(25)), "")
    plan, _ = make_plan(probe, choose_video(probe), listing, LIMITS, looks)
    assert [rung.name for rung in plan.rungs] == ["1080p", "720p", "480p"]
    assert plan.video.interlaced
    assert [warning.code for warning in plan.warnings] == ["shape_changes", "fields_change"]
    assert len(plan.video.shapes) == 2
