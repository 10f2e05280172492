"""Uploads that name what a tool should open for them: the canaries beside them, in every way that ffmpeg follows."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from tests.support.canaries import Canaries

_HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n{0}#EXTINF:10.0,\n{1}\n#EXT-X-ENDLIST\n"
_DASH = (
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT10S" '
    'profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="video/mp4"><Representation '
    'id="1" bandwidth="1" width="64" height="64"><BaseURL>{0}</BaseURL><SegmentList><SegmentURL media="{0}"/>'
    "</SegmentList></Representation></AdaptationSet></Period></MPD>"
)
_SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=video {0} RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
)
_VOBSUB = (
    "# VobSub index file, v7 (do not modify this line!)\nsize: 720x576\nid: en, index: 0\n"
    "timestamp: 00:00:00:000, filepos: 000000000\n"
)
_SMIL = '<smil><body><video src="{0}"/></body></smil>'


def baits(canaries: Canaries) -> Mapping[str, bytes]:
    """Return the baits by their kind, laid out for these canaries."""
    web, beside = f"http://127.0.0.1:{canaries.port}", f"file://{canaries.folder}"
    plain = f"tcp://127.0.0.1:{canaries.port}"
    texts = {
        "hls, web": _HLS.format("", f"{web}/a.ts"),
        "hls, file": _HLS.format("", f"{beside}/secret.ts"),
        "hls, beside": _HLS.format("", "secret.ts"),
        "hls, key": _HLS.format(f'#EXT-X-KEY:METHOD=AES-128,URI="{beside}/secret.key"\n', "secret.ts"),
        "hls, map": _HLS.format(f'#EXT-X-MAP:URI="{beside}/secret.mp4"\n', "secret.mp4"),
        "hls, concat": _HLS.format("", f"concat:{web}/a.ts|{beside}/secret.txt"),
        "hls, subfile": _HLS.format("", f"subfile,,start,0,end,64,,:{canaries.folder}/secret.txt"),
        "hls, master": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{web}/b.m3u8\n",
        "concat": "ffconcat version 1.0\nfile secret.ts\n",
        "concat, unsafe": f"ffconcat version 1.0\nfile {beside}/secret.ts\n",
        "concat, web": f"ffconcat version 1.0\nfile '{web}/a.ts'\n",
        "concat, tcp": f"ffconcat version 1.0\nfile '{plain}'\n",
        "dash, web": _DASH.format(f"{web}/a.mp4"),
        "dash, file": _DASH.format(f"{beside}/secret.mp4"),
        "sdp": _SDP.format(canaries.udp_port),
        "vobsub": _VOBSUB,
        "smil": _SMIL.format(f"{web}/a.mp4"),
        "asx": f'<asx version="3.0"><entry><ref href="{web}/a.wmv"/></entry></asx>',
        "xspf": f'<?xml version="1.0"?><playlist version="1"><trackList><track><location>{web}/a.mp4</location>',
        "pls": f"[playlist]\nFile1={web}/a.mp4\nLength1=-1\nVersion=2\n",
        "addresses": f"{web}/a.mp4\n",
        "avisynth": f'AviSource("{canaries.folder}/secret.ts")\n',
        "svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{web}/a.png"/></svg>',
    }
    subtitled = texts["hls, web"].encode()
    return {
        **{kind: text.encode() for kind, text in texts.items()},
        "quicktime": _reference_movie(f"{web}/a.mov".encode()),
        "hls in subtitles of avi": _avi_with_subtitles(subtitled),
        "hls behind gif": b"GIF89a" + bytes(7) + b";" + subtitled,
    }


def _box(kind: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I4s", len(data) + 8, kind) + data


def _reference_movie(address: bytes) -> bytes:
    reference = struct.pack(">I4sI", 0, b"url ", len(address) + 1) + address + b"\0"
    return _box(b"moov", _box(b"rmra", _box(b"rmda", _box(b"rdrf", reference))))


def _chunk(kind: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _avi_with_subtitles(text: bytes) -> bytes:
    """Return an AVI with one stream of subtitles (GAB2), in which ffmpeg opens the text as a file of its own."""
    header = struct.pack("<14I", 40_000, 0, 0, 0x10, 1, 0, 1, 0, 64, 64, 0, 0, 0, 0)
    stream = struct.pack("<4s4sIHHIIIIIIIIHHHH", b"txts", b"", 0, 0, 0, 0, 1, 25, 0, 1, 0, 0, 0, 0, 0, 64, 64)
    lists = _chunk(
        b"LIST",
        b"hdrl",
        _chunk(b"avih", header),
        _chunk(b"LIST", b"strl", _chunk(b"strh", stream), _chunk(b"strf", b"")),
    )
    packet = b"GAB2\0" + struct.pack("<HI", 2, 2) + b"x\0" + struct.pack("<HI", 4, len(text)) + text
    return _chunk(b"RIFF", b"AVI ", lists, _chunk(b"LIST", b"movi", _chunk(b"00tx", packet)))
