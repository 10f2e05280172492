"""What a request of an upload by tus meets: the branch of the error tree that the protocol has statuses for.

UploadError                   the client must look how far the upload is, or change what it says
├── UploadNotFoundError       upload_not_found  it expired, was ended, or is somebody else's
│   └── UploadEndedError      upload_ended      410: it, or its job, was cancelled
├── UploadOffsetError         upload_offset     409: the bytes do not begin where the upload stands
├── UploadIndexError          upload_index      409: an index was sent ahead before
├── UploadChecksumError       upload_checksum   460: the bytes are not those that were sent
├── UploadTypeError           upload_type       415: not the type that tus asks for
├── UploadVersionError        upload_version    412: another version of tus
└── UploadTakenError          upload_taken      423: another request goes on with this upload
"""

from __future__ import annotations

from storage.errors import RequestError


class UploadError(RequestError):
    """The client must look how far the upload is, or change what it says."""

    code = "upload_refused"


class UploadNotFoundError(UploadError):
    """There is no such upload any more: it expired, was ended, or belongs to somebody else."""

    code = "upload_not_found"


class UploadEndedError(UploadNotFoundError):
    """The upload was ended, or its job was cancelled: whoever sends it is not to begin anew by itself."""

    code = "upload_ended"


class UploadOffsetError(UploadError):
    """The bytes that were sent do not begin where the upload stands."""

    code = "upload_offset"


class UploadIndexError(UploadError):
    """An index of this upload was sent ahead before; that one stays."""

    code = "upload_index"


class UploadChecksumError(UploadError):
    """The bytes that came are not those that were sent; none of them is kept."""

    code = "upload_checksum"


class UploadTypeError(UploadError):
    """Bytes of an upload came with another content type than tus asks for."""

    code = "upload_type"


class UploadVersionError(UploadError):
    """The client speaks another version of tus."""

    code = "upload_version"


class UploadTakenError(UploadError):
    """Another, newer request goes on with this upload."""

    code = "upload_taken"
