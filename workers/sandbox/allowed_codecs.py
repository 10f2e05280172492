"""Which of ffmpeg's decoders may see an upload, each with the reason; the other four hundred never open one.

Names are decoders' own, as `ffmpeg -decoders` prints them, where ffprobe names codecs. Those of Debian 12 and 13 are
alike. A decoder that a build has not is passed over. tests/integration/workers/test_allowed_codecs.py has a file for
each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowed:
    """Decoders, and why an upload may reach them."""

    decoders: tuple[str, ...]
    why: str


PICTURES = (
    Allowed(("h264", "hevc"), "phones, cameras, screen recorders, broadcasts"),
    Allowed(("libdav1d", "vp8", "vp9"), "browsers, and what is downloaded from the web"),
    Allowed(("libvpx", "libvpx-vp9"), "the same with transparency beside the picture"),
    Allowed(("mpeg1video", "mpeg2video"), "DVD, broadcasts, camcorders"),
    Allowed(("mpeg4", "msmpeg4", "msmpeg4v2", "msmpeg4v1"), "XviD and DivX; phones before H.264"),
    Allowed(("h261", "h263", "flv"), "video calls, phones and Flash before H.264"),
    Allowed(("vp6", "vp6a", "vp6f", "flashsv", "flashsv2"), "Flash"),
    Allowed(("wmv1", "wmv2", "wmv3", "vc1"), "Windows Media, Blu-ray"),
    Allowed(("rv10", "rv20", "rv30", "rv40"), "RealMedia"),
    Allowed(("theora", "vp3"), "Ogg"),
    Allowed(("cinepak", "svq1", "svq3", "indeo3", "indeo4", "indeo5"), "QuickTime and AVI of the nineties"),
    Allowed(("mjpeg", "mjpegb", "dvvideo"), "cameras; mjpeg covers of films as well"),
    Allowed(("prores", "dnxhd", "cfhd", "jpeg2000", "dirac", "qtrle"), "editing, archives, cinemas"),
    Allowed(("rawvideo", "v210", "v410", "r210"), "capture cards, not compressed"),
    Allowed(("ffv1", "ffvhuff", "huffyuv", "magicyuv", "utvideo", "lagarith"), "archives, captures without loss"),
    Allowed(("fraps", "camtasia"), "screen recorders before H.264"),
    Allowed(("gif", "apng", "png"), "animations, and films of pictures without loss; covers"),
    Allowed(("bmp",), "covers, and stills that are refused as such"),
)
SOUND = (
    Allowed(("aac", "aac_latm", "mp3float", "mp2", "mp1"), "nearly all videos"),
    Allowed(("ac3", "eac3", "dca", "truehd", "mlp"), "films and broadcasts"),
    Allowed(("opus", "vorbis", "speex"), "the web, calls, Flash"),
    Allowed(("flac", "alac", "tta", "wavpack"), "sound without loss"),
    Allowed(("wmav1", "wmav2", "wmapro", "wmalossless", "wmavoice"), "Windows Media"),
    Allowed(("amrnb", "amrwb", "qcelp", "evrc", "gsm", "gsm_ms"), "phones"),
    Allowed(("cook", "sipr", "real_144", "real_288", "atrac3"), "RealMedia"),
    Allowed(("qdm2", "mace3", "mace6"), "QuickTime of the nineties"),
    Allowed(("adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms", "adpcm_swf", "adpcm_yamaha", "g722", "g726"), "old cameras"),
    Allowed(("nellymoser",), "Flash"),
    Allowed(("dvaudio", "s302m", "pcm_bluray", "pcm_dvd"), "DV, broadcasters, discs"),
    Allowed(("pcm_alaw", "pcm_mulaw", "pcm_u8", "pcm_s8"), "cameras and telephones, one byte a sample"),
    Allowed(("pcm_s16be", "pcm_s16le", "pcm_s24be", "pcm_s24le", "pcm_s32be", "pcm_s32le"), "cameras, editing"),
    Allowed(("pcm_f32be", "pcm_f32le", "pcm_f64be", "pcm_f64le"), "editing"),
)
# Never shown. But ffprobe opens the decoder of each stream that it lists, and ends if one may not be opened.
TEXT = (
    Allowed(("ssa", "srt", "webvtt", "text"), "subtitles of Matroska"),
    Allowed(("mov_text",), "subtitles and chapters of MP4"),
    Allowed(("dvbsub", "dvdsub", "pgssub", "xsub"), "subtitles of broadcasts and discs, as pictures"),
    Allowed(("cc_dec", "libzvbi_teletextdec"), "captions of broadcasts"),
)
# ffprobe's names of codecs whose decoders are called otherwise.
_CODECS = {
    "libdav1d": "av1",
    "libvpx": "vp8",
    "libvpx-vp9": "vp9",
    "msmpeg4": "msmpeg4v3",
    "flv": "flv1",
    "camtasia": "tscc",
}


def _decoders(tables: tuple[Allowed, ...]) -> Iterator[str]:
    return (decoder for allowed in tables for decoder in allowed.decoders)


CODEC_WHITELIST = ",".join(_decoders((*PICTURES, *SOUND, *TEXT)))
PICTURE_CODECS = frozenset(_CODECS.get(decoder, decoder) for decoder in _decoders(PICTURES))
