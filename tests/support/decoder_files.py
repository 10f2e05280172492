"""A file for each decoder that may see an upload: encoded where ffmpeg can, else one that only names the codec."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SOURCES = {
    "picture": ("-f", "lavfi", "-i", "testsrc2=size=176x144:rate=25:duration=0.12"),
    "large": ("-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=0.12"),
    "camera": ("-f", "lavfi", "-i", "testsrc2=size=720x576:rate=25:duration=0.12"),
    "glass": ("-f", "lavfi", "-i", "testsrc2=size=176x144:rate=25:duration=0.12,format=yuva420p"),
    "sound": ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=0.2"),
    "telephone": ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=8000:duration=0.2"),
}
_WORDS = "1\n00:00:00,000 --> 00:00:01,000\nHello\n"


@dataclass(frozen=True, slots=True)
class File:
    """How ffmpeg writes the file, and which bytes of it are replaced by which of another codec's name.

    `decoders` are options of an input: they name the decoder where it is not the usual one.
    """

    suffix: str
    options: str
    source: str = "picture"
    renamed: tuple[tuple[bytes, bytes], ...] = ()
    decoders: tuple[str, ...] = ()


def _avi(name: str) -> File:
    return File("avi", "-c:v h261", renamed=((b"H261", name.encode()), (b"h261", name.encode())))


def _mov(name: str) -> File:
    return File("mov", "-c:v svq1", "large", renamed=((b"SVQ1", name.encode()),))


def _tag(number: int) -> File:
    """Return an AVI whose sound has this number of a format in place of PCM's."""
    head = b"strf\x10\x00\x00\x00"
    return File("avi", "-c:a pcm_s16le", "sound", renamed=((head + b"\x01\x00", head + number.to_bytes(2, "little")),))


def _sound_of_mov(name: str) -> File:
    return File("mov", "-c:a pcm_s16be", "sound", renamed=((b"twos", name.encode()),))


def _matroska(before: str, after: str, options: str, source: str) -> File:
    padded = after.encode().ljust(len(before), b"\0")
    return File("mkv", options, source, renamed=((before.encode(), padded),))


PICTURES: Mapping[str, File] = {
    "h264": File("mp4", "-c:v libx264 -preset ultrafast"),
    "hevc": File("mkv", "-c:v libx265 -preset ultrafast -x265-params log-level=none"),
    "libdav1d": File("mp4", "-c:v libaom-av1 -cpu-used 8 -usage realtime"),
    "vp8": File("webm", "-c:v libvpx -deadline realtime"),
    "vp9": File("webm", "-c:v libvpx-vp9 -deadline realtime"),
    "libvpx": File("webm", "-c:v libvpx -deadline realtime -auto-alt-ref 0", "glass", decoders=("-c:v", "libvpx")),
    "libvpx-vp9": File("webm", "-c:v libvpx-vp9 -deadline realtime", "glass", decoders=("-c:v", "libvpx-vp9")),
    "mpeg1video": File("mpg", "-c:v mpeg1video"),
    "mpeg2video": File("ts", "-c:v mpeg2video"),
    "mpeg4": File("avi", "-c:v mpeg4"),
    "msmpeg4": File("avi", "-c:v msmpeg4"),
    "msmpeg4v2": File("avi", "-c:v msmpeg4v2"),
    "msmpeg4v1": _avi("MPG4"),
    "h261": File("avi", "-c:v h261"),
    "h263": File("3gp", "-c:v h263"),
    "flv": File("flv", "-c:v flv"),
    "vp6": _avi("VP62"),
    "vp6a": _avi("VP6A"),
    "vp6f": _avi("VP6F"),
    "flashsv": File("flv", "-c:v flashsv"),
    "flashsv2": File("flv", "-c:v flashsv2"),
    "wmv1": File("wmv", "-c:v wmv1"),
    "wmv2": File("wmv", "-c:v wmv2"),
    "wmv3": _avi("WMV3"),
    "vc1": _avi("WVC1"),
    "rv10": File("rm", "-c:v rv10"),
    "rv20": File("rm", "-c:v rv20"),
    "rv30": _matroska("V_MPEG4/ISO/ASP", "V_REAL/RV30", "-c:v mpeg4", "picture"),
    "rv40": _matroska("V_MPEG4/ISO/ASP", "V_REAL/RV40", "-c:v mpeg4", "picture"),
    "theora": File("ogv", "-c:v libtheora"),
    "vp3": _avi("VP31"),
    "cinepak": File("avi", "-c:v cinepak"),
    "svq1": File("mov", "-c:v svq1", "large"),
    "svq3": _mov("SVQ3"),
    "indeo3": _avi("IV32"),
    "indeo4": _avi("IV41"),
    "indeo5": _avi("IV50"),
    "mjpeg": File("avi", "-c:v mjpeg -pix_fmt yuvj420p"),
    "mjpegb": _mov("mjpb"),
    "dvvideo": File("dv", "-c:v dvvideo -pix_fmt yuv420p", "camera"),
    "prores": File("mov", "-c:v prores_ks"),
    "dnxhd": File("mov", "-c:v dnxhd -profile:v dnxhr_lb -pix_fmt yuv422p", "large"),
    "cfhd": File("mov", "-c:v cfhd -pix_fmt yuv422p10le", "large"),
    "jpeg2000": File("mov", "-c:v jpeg2000"),
    "dirac": File("mkv", "-c:v vc2 -pix_fmt yuv422p"),
    "qtrle": File("mov", "-c:v qtrle"),
    "rawvideo": File("nut", "-c:v rawvideo"),
    "v210": File("mov", "-c:v v210"),
    "v410": File("mov", "-c:v v410"),
    "r210": File("mov", "-c:v r210"),
    "ffv1": File("mkv", "-c:v ffv1"),
    "ffvhuff": File("mkv", "-c:v ffvhuff"),
    "huffyuv": File("avi", "-c:v huffyuv -pix_fmt yuv422p"),
    "magicyuv": File("avi", "-c:v magicyuv"),
    "utvideo": File("avi", "-c:v utvideo"),
    "lagarith": _avi("LAGS"),
    "fraps": _avi("FPS1"),
    "camtasia": _avi("tscc"),
    "gif": File("gif", "-c:v gif"),
    "apng": File("apng", "-c:v apng"),
    "png": File("mov", "-c:v png"),
    "bmp": File("bmp", "-c:v bmp -frames:v 1"),
}
SOUND: Mapping[str, File] = {
    "aac": File("mp4", "-c:a aac", "sound"),
    "aac_latm": File("ts", "-c:a aac -mpegts_flags latm", "sound"),
    "mp3float": File("mp3", "-c:a libmp3lame", "sound"),
    "mp2": File("ts", "-c:a mp2", "sound"),
    "mp1": _matroska("A_MPEG/L2", "A_MPEG/L1", "-c:a mp2", "sound"),
    "ac3": File("ts", "-c:a ac3", "sound"),
    "eac3": File("ts", "-c:a eac3", "sound"),
    "dca": File("mkv", "-c:a dca -strict -2", "sound"),
    "truehd": File("mkv", "-c:a truehd -strict -2", "sound"),
    "mlp": File("mkv", "-c:a mlp -strict -2", "sound"),
    "opus": File("webm", "-c:a libopus", "sound"),
    "vorbis": File("webm", "-c:a libvorbis", "sound"),
    "speex": File("ogg", "-c:a libspeex", "telephone"),
    "flac": File("flac", "-c:a flac", "sound"),
    "alac": File("mov", "-c:a alac", "sound"),
    "tta": File("mkv", "-c:a tta", "sound"),
    "wavpack": File("mkv", "-c:a wavpack", "sound"),
    "wmav1": File("wma", "-c:a wmav1", "sound"),
    "wmav2": File("wma", "-c:a wmav2", "sound"),
    "wmapro": _tag(0x162),
    "wmalossless": _tag(0x163),
    "wmavoice": _tag(0x0A),
    "amrnb": _sound_of_mov("samr"),
    "amrwb": _sound_of_mov("sawb"),
    "qcelp": _sound_of_mov("Qclp"),
    "evrc": _sound_of_mov("sevc"),
    "gsm": File("mov", "-c:a libgsm", "telephone"),
    "gsm_ms": File("avi", "-c:a libgsm_ms", "telephone"),
    "cook": _matroska("A_PCM/INT/LIT", "A_REAL/COOK", "-c:a pcm_s16le", "sound"),
    "sipr": _matroska("A_PCM/INT/LIT", "A_REAL/SIPR", "-c:a pcm_s16le", "sound"),
    "real_144": File("rm", "-c:a real_144", "telephone"),
    "real_288": _matroska("A_PCM/INT/LIT", "A_REAL/28_8", "-c:a pcm_s16le", "sound"),
    "atrac3": _tag(0x270),
    "qdm2": _sound_of_mov("QDM2"),
    "mace3": _sound_of_mov("MAC3"),
    "mace6": _sound_of_mov("MAC6"),
    "adpcm_ima_qt": File("mov", "-c:a adpcm_ima_qt", "sound"),
    "adpcm_ima_wav": File("avi", "-c:a adpcm_ima_wav", "sound"),
    "adpcm_ms": File("avi", "-c:a adpcm_ms", "sound"),
    "adpcm_swf": File("flv", "-c:a adpcm_swf -ar 22050", "sound"),
    "adpcm_yamaha": File("avi", "-c:a adpcm_yamaha", "sound"),
    "g722": File("mkv", "-c:a g722 -ar 16000", "sound"),
    "g726": File("wav", "-c:a g726", "telephone"),
    "nellymoser": File("flv", "-c:a nellymoser -ar 44100", "sound"),
    "dvaudio": _tag(0x215),
    "s302m": File("ts", "-c:a s302m -strict -2 -ac 2", "sound"),
    "pcm_bluray": File("m2ts", "-c:a pcm_bluray -ac 2", "sound"),
    "pcm_dvd": File("vob", "-c:a pcm_dvd -ac 2", "sound"),
    **{f"pcm_{kind}": File("avi", f"-c:a pcm_{kind}", "sound") for kind in ("alaw", "mulaw", "u8", "s16le", "s24le")},
    **{f"pcm_{kind}": File("mov", f"-c:a pcm_{kind}", "sound") for kind in ("s8", "s16be", "s24be", "s32be", "s32le")},
    **{f"pcm_{kind}": File("mov", f"-c:a pcm_{kind}", "sound") for kind in ("f32be", "f32le", "f64be", "f64le")},
}
TEXT: Mapping[str, File] = {
    "ssa": File("mkv", "-c:s ass", "words"),
    "srt": File("mkv", "-c:s srt", "words"),
    "webvtt": File("webm", "-c:s webvtt", "words"),
    "text": _matroska("D_WEBVTT/SUBTITLES", "S_TEXT/ASCII", "-c:s webvtt", "words"),
    "mov_text": File("mp4", "-c:s mov_text", "words"),
    "dvbsub": _matroska("D_WEBVTT/SUBTITLES", "S_DVBSUB", "-c:s webvtt", "words"),
    "dvdsub": _matroska("D_WEBVTT/SUBTITLES", "S_VOBSUB", "-c:s webvtt", "words"),
    "pgssub": _matroska("D_WEBVTT/SUBTITLES", "S_HDMV/PGS", "-c:s webvtt", "words"),
    "xsub": _avi("DXSB"),
    "cc_dec": File("mp4", "-c:s mov_text", "words", renamed=((b"tx3g", b"c608"),)),
    # In a transport stream the descriptors of Opus become those of a page of teletext (ETSI EN 300 468).
    "libzvbi_teletextdec": File(
        "ts", "-c:a libopus", "sound", renamed=((b"\x05\x04Opus\x7f\x02\x80\x01", b"\x56\x05eng\x10\x88\x52\x01\x00"),)
    ),
}


def write_file(decoder: str, folder: Path) -> Path:
    """Write the decoder's file into the folder."""
    file = {**PICTURES, **SOUND, **TEXT}[decoder]
    path = folder / f"{re.sub('[^a-z0-9]', '_', decoder)}.{file.suffix}"
    words = folder / "words.srt"
    words.write_text(_WORDS)
    source = ("-i", str(words)) if file.source == "words" else _SOURCES[file.source]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *source, *file.options.split(), str(path)]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    data = path.read_bytes()
    for before, after in file.renamed:
        assert len(before) == len(after)
        data = data.replace(before, after)
    path.write_bytes(_summed(data) if file.suffix == "ts" else data)
    return path


def _summed(transport: bytes) -> bytes:
    """Return the stream with the checksums of its tables of programmes made anew."""
    data = bytearray(transport)
    for start in range(0, len(data), 188):
        table = start + 5  # behind the packet's head and a pointer of 0
        if data[start + 1] & 0x40 and data[table - 1 : table + 1] == b"\0\x02":
            end = table + 3 + (int.from_bytes(data[table + 1 : table + 3]) & 0xFFF)
            data[end - 4 : end] = _checksum(bytes(data[table : end - 4])).to_bytes(4)
    return bytes(data)


def _checksum(section: bytes) -> int:
    """Return MPEG's checksum of a section (ISO/IEC 13818-1, annex A)."""
    found = 0xFFFFFFFF
    for byte in section:
        found ^= byte << 24
        for _ in range(8):
            found = (found << 1 ^ (0x04C11DB7 if found & 0x80000000 else 0)) & 0xFFFFFFFF
    return found
