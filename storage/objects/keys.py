"""Object keys, all made from a job's id and fixed names: a file name of a user never becomes a key.

docs/design.md#objects lists them.
"""

from __future__ import annotations

import re

from storage.errors import ObjectNotFoundError

ORIGINALS = "originals/"  # prefix of all that came in, of all jobs
UPLOADS = "uploads/"  # prefix of all that is coming in, of all uploads
PARTS = "parts/"  # prefix of the whole parts of all uploads and originals that came in parts
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


def original(job_id: str) -> str:
    """Key of the upload, untouched."""
    return f"originals/{job_id}/original"


def manifest(job_id: str) -> str:
    """Key of the job as it was accepted; an original without one belongs to no job."""
    return f"originals/{job_id}/manifest.json"


def planned(job_id: str) -> str:
    """Key of the job as its present run was planned."""
    return f"originals/{job_id}/planned.json"


def ended(job_id: str) -> str:
    """Key of the job as it ended."""
    return f"originals/{job_id}/ended.json"


def added_subtitle(job_id: str, track_id: str) -> str:
    """Key of subtitles that came beside the upload, as WebVTT."""
    return f"{_added(job_id, track_id)}.vtt"


def added_source(job_id: str, track_id: str) -> str:
    """Key of the same, untouched."""
    return f"{_added(job_id, track_id)}.source"


def added_track(job_id: str, track_id: str) -> str:
    """Key of what is told of them, from which the record can be made again."""
    return f"{_added(job_id, track_id)}.json"


def _added(job_id: str, track_id: str) -> str:
    return f"originals/{job_id}/subtitles/{track_id}"


def originals(job_id: str) -> str:
    """Prefix of all that came in."""
    return f"originals/{job_id}/"


def renditions(job_id: str) -> str:
    """Prefix of all that was made."""
    return f"renditions/{job_id}/"


def rendition(job_id: str, name: str) -> str:
    """Key of one made object, such as `720p.mp4`, `poster.jpg` or `hls/master.m3u8`."""
    return f"renditions/{job_id}/{name}"


def segment(job_id: str, rung: str, index: int) -> str:
    """Key of one rung's fragments of one segment, as encoded, or of one part of a track of sound."""
    return f"renditions/{job_id}/hls/{rung}/{index:05d}.m4s"


def init(job_id: str, rung: str) -> str:
    """Key of the initialisation section (ftyp + moov) of a rung or a track of sound."""
    return f"renditions/{job_id}/hls/{rung}/init.mp4"


def track(job_id: str, rung: str) -> str:
    """Prefix of the init section and fragments of a rung or a track of sound."""
    return f"renditions/{job_id}/hls/{rung}/"


def subtitle(job_id: str, track_id: str) -> str:
    """Key of a whole track of subtitles."""
    return f"renditions/{job_id}/subtitles/{track_id}.vtt"


def subtitle_segment(job_id: str, track_id: str, index: int) -> str:
    """Key of one segment of a track of subtitles."""
    return f"renditions/{job_id}/hls/subtitles-{track_id}/{index:05d}.vtt"


def early_poster(job_id: str) -> str:
    """Key of what stands for the poster as long as that is not made, of an upload that was encoded while it came."""
    return rendition(job_id, "early.jpg")


def fragments(job_id: str) -> str:
    """Prefix of all init sections, fragments and sound."""
    return f"renditions/{job_id}/hls/"


def upload(upload_id: str) -> str:
    """Prefix of all that there is of an upload but its whole parts: its record, and what has come of it."""
    return f"{UPLOADS}{upload_id}/"


def upload_record(upload_id: str) -> str:
    """Key of what is known of an upload besides its bytes."""
    return f"{UPLOADS}{upload_id}/upload.json"


def upload_doubt(upload_id: str) -> str:
    """Key of where the bytes begin that have come and are not checked yet."""
    return f"{UPLOADS}{upload_id}/unchecked"


def upload_cut(upload_id: str) -> str:
    """Key of where the bytes begin of which some were taken back, as they were not what was sent."""
    return f"{UPLOADS}{upload_id}/cut"


def upload_indexes(upload_id: str) -> str:
    """Prefix of the index of an upload that was sent ahead: more than one only where two came at once."""
    return f"{UPLOADS}{upload_id}/index/"


def upload_index(upload_id: str, begin: int, token: str) -> str:
    """Key of an index that lies at byte `begin` of the file; the token is nobody else's, so that none replaces it."""
    return f"{upload_indexes(upload_id)}{begin}-{token}"


def upload_bytes(upload_id: str) -> str:
    """Key of what has come of an upload, where that is one object which grows."""
    return f"{UPLOADS}{upload_id}/bytes"


def upload_parts(upload_id: str) -> str:
    """Prefix of the whole parts of an upload, which stay when it is an original."""
    return f"{PARTS}{upload_id}/"


def upload_part(upload_id: str, index: int) -> str:
    """Key of one whole part of an upload."""
    return f"{upload_parts(upload_id)}{index:05d}"


def upload_tails(upload_id: str) -> str:
    """Prefix of what has come of the part of an upload that is not whole yet."""
    return f"{UPLOADS}{upload_id}/tails/"


def upload_tail(upload_id: str, index: int, begin: int, end: int) -> str:
    """Key of some bytes of one part of an upload, that is not whole yet."""
    return f"{upload_tails(upload_id)}{index:05d}-{begin}-{end}"


def checked_key(key: str) -> str:
    """Return the key; raise ObjectNotFoundError for one that no object can have (`..`, empty or hidden parts)."""
    if not all(_PART.fullmatch(part) for part in key.split("/")):
        raise ObjectNotFoundError(detail=key)
    return key


def parts_of(key: str) -> list[str]:
    """Return the folders and the name of a key. Raises ObjectNotFoundError as `checked_key` does."""
    return checked_key(key).split("/")


def checked_prefix(prefix: str) -> str:
    """Return the prefix, which may end anywhere in a key; raise ObjectNotFoundError as `checked_key` does."""
    folder = prefix.rpartition("/")[0]
    if folder:
        checked_key(folder)
    return prefix
