"""Long JSON of records, packed: what is alike in all of them is not kept ten thousand times.

A plan is most of a waiting job's record, and nine tenths of it are the names of its fields and values that most plans
have. DEFLATE with a dictionary that both sides know (RFC 1951; zlib's `zdict`) tells them by their place in the
dictionary: 813 bytes become 71, or 89 as the text that this store's connection takes.
"""

from __future__ import annotations

import base64
import zlib

# What is looked up. It is part of what is kept: another text needs another name, and this one goes on being read.
# The parts that most plans have stand last, since deflate tells a near place in fewer bits.
_DICTIONARY = (
    b'"pieces":[{"shapes":[{"since":0.0,"width":"aspect_num":1,"aspect_den":1,"counted_rate":[25,1]"look_seconds":5.0'
    b'"in_order":true"pictures":1000"mirrored":true"interlaced":true"alpha":true"rotation":90"right":2"layout":"5.1"'
    b'"warnings":[{"code":"audio_left_out","message":"","values":{"n":2}}]"layout":"mono""preset":"medium""rate_num":25,'
    b'"rate_den":1,"mirrored":false,"start_time":0.0,"container_start":0.0,"full":true"codec":"hevc"'
    b'{"video":{"stream":0,"codec":"h264","width":1920,"height":1080,"display_width":1920,"display_height":1080,'
    b'"rotation":0,"interlaced":false,"colour":{"matrix":"bt709","primaries":"bt709","transfer":"bt709","full":false},'
    b'"alpha":false,"start_time":0.0,"container_start":0.0,"mirrored":false},"audio":{"stream":1,"codec":"aac",'
    b'"channels":2,"sample_rate":48000,"bitrate":128000,"source_channels":2,"layout":"stereo"},"rungs":[{"name":"1080p",'
    b'"width":1920,"height":1080,"crf":23,"maxrate":6000000,"bufsize":12000000},{"name":"720p","width":1280,"height":720,'
    b'"crf":23,"maxrate":3500000,"bufsize":7000000},{"name":"480p","width":854,"height":480,"crf":23,"maxrate":1500000,'
    b'"bufsize":3000000}],"rate_num":30000,"rate_den":1001,"frames":1000,"tail_frames":0,"fragment_frames":50,'
    b'"segment_count":10,"preset":"veryfast"'
)
_NAME = "1"  # of the dictionary, before what is packed with it
_PLAIN = "{"  # how JSON begins that was written before there was packing
_RAW = -15  # no header and no checksum: they are 6 bytes, and what is read is checked field by field
# More than any record has: a plan of twelve hours is 3 kB, one that changes a thousand times 200 kB.
_LONGEST = 16 << 20


def pack(text: str) -> str:
    """Return a JSON object's text packed."""
    squeezer = zlib.compressobj(zlib.Z_BEST_COMPRESSION, zlib.DEFLATED, _RAW, zdict=_DICTIONARY)
    return _NAME + base64.b85encode(squeezer.compress(text.encode()) + squeezer.flush()).decode()


def unpack(text: str) -> str:
    """Return what `pack` was given, or the text itself where it is not packed. Raises ValueError for anything else."""
    if text.startswith(_PLAIN):
        return text
    if not text.startswith(_NAME):
        raise ValueError("packed with an unknown dictionary")
    loosener = zlib.decompressobj(_RAW, zdict=_DICTIONARY)
    try:
        found = loosener.decompress(base64.b85decode(text[len(_NAME) :]), _LONGEST)
    except zlib.error as error:
        raise ValueError("not packed") from error
    if not loosener.eof:
        raise ValueError("cut off, or longer than any record")
    return found.decode()
