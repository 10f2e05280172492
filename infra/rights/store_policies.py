"""What each role may do at the object store, as policies of S3: pure data.

Every role may see which objects there are. Only the janitor and the web service, which end jobs, may delete originals;
nobody but the web service may write one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from infra.rights.roles import CONTROL, ENCODER, JANITOR, WEB, Role

_BUCKET = "s3:ListBucket"
_UNFINISHED = "s3:ListBucketMultipartUploads"
_GET, _DELETE, _ABORT = "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"
_PUT = ("s3:PutObject", _ABORT, "s3:ListMultipartUploadParts")
_ORIGINALS, _PARTS, _RENDITIONS, _UPLOADS = "originals/*", "parts/*", "renditions/*", "uploads/*"
_FRAGMENTS, _POSTER, _SUBTITLES = "renditions/*/hls/*", "renditions/*/poster.jpg", "renditions/*/subtitles/*"
_EARLY_POSTER = "renditions/*/early.jpg"
# The manifests beside an original (storage/objects/keys.py), each with its own writer.
_ORIGINAL, _PLANNED, _ENDED = "originals/*/original", "originals/*/planned.json", "originals/*/ended.json"
# MinIO tells its free space to administrators only; this is the one question of theirs that is granted.
_FREE_SPACE = {"Effect": "Allow", "Action": ["admin:ServerInfo"]}

Grant = tuple[tuple[str, ...], str]  # actions, and the keys on which they are allowed

_GRANTS: dict[Role, tuple[Grant, ...]] = {
    # Takes uploads, signs the addresses from which nginx delivers, and removes jobs.
    WEB: (
        ((_GET, *_PUT, _DELETE), _ORIGINALS),
        ((_GET, *_PUT, _DELETE), _PARTS),
        ((_GET, *_PUT, _DELETE), _UPLOADS),
        ((_GET, _DELETE, _ABORT), _RENDITIONS),
    ),
    # Plans, also uploads that come, packages, and restores records (`rebuild`), which reads everything. It removes what
    # was encoded by an early plan that turned out to be wrong, and what stood for a poster before there was one.
    CONTROL: (
        ((_GET,), _ORIGINALS),
        ((_GET,), _PARTS),
        ((_GET,), _UPLOADS),
        (_PUT, _PLANNED),
        ((_GET, *_PUT), _RENDITIONS),
        ((_DELETE,), _FRAGMENTS),
        ((_DELETE,), _EARLY_POSTER),
    ),
    # Ends what was left: manifests of ended jobs, objects of failed ones, unfinished writes, forgotten uploads.
    JANITOR: (
        ((_GET, _DELETE, _ABORT), _ORIGINALS),
        (_PUT, _ENDED),
        ((_GET, _DELETE, _ABORT), _PARTS),
        ((_GET, _DELETE, _ABORT), _UPLOADS),
        ((_GET, _DELETE, _ABORT), _RENDITIONS),
    ),
    # Encodes fragments, and makes poster and subtitles; where a cut fails it plans the job anew and removes the
    # fragments made so far.
    ENCODER: (
        ((_GET,), _ORIGINAL),
        ((_GET,), _PARTS),
        ((_GET,), _UPLOADS),
        ((_GET, *_PUT), _PLANNED),
        ((_GET, *_PUT, _DELETE), _FRAGMENTS),
        ((_GET, *_PUT), _POSTER),
        ((_GET, *_PUT), _EARLY_POSTER),
        ((_GET, *_PUT), _SUBTITLES),
    ),
}
_ON_BUCKET: dict[Role, tuple[str, ...]] = {
    WEB: (_BUCKET, _UNFINISHED),
    CONTROL: (_BUCKET, _UNFINISHED),
    JANITOR: (_BUCKET, _UNFINISHED),
    ENCODER: (_BUCKET, _UNFINISHED),
}


def policy(role: Role, bucket: str) -> dict[str, Any]:
    """Return the role's policy for the bucket."""
    arn = f"arn:aws:s3:::{bucket}"
    statements = [_allow(_ON_BUCKET[role], arn), *(_allow(actions, f"{arn}/{keys}") for actions, keys in _GRANTS[role])]
    if role == WEB:
        statements.append(_FREE_SPACE)
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(actions: Iterable[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": sorted(actions), "Resource": [resource]}
