"""Why an upload cannot be encoded: the branch of the error tree that fails a job at once, with its code.

MediaError                    the upload cannot be encoded: the job fails at once, with the code
├── NotMediaError             not_a_video
├── AudioOnlyError            audio_only
├── PictureOnlyError          picture_only
├── SubtitlesOnlyError        subtitles_only
├── TextOnlyError             text_only         screen text, a web page, a script: whatever people read
├── PlaylistOnlyError         playlist_only     names of videos elsewhere, which are never followed
├── CodecUnsupportedError     codec_unsupported
├── TooComplexError           too_complex       more packets, tags or parts than a video has
├── NoFramesError             no_frames
├── TooLargePictureError      picture_too_large
├── TooSmallPictureError      picture_too_small
├── TooLongError              too_long
├── DolbyVisionError          dolby_vision_only
├── EncryptedError            encrypted
├── AnimatedPictureError      animated_picture
├── TooMuchWorkError          too_much_work     it took far more work than its plan says
├── TooCostlyError            too_costly        its plan says more work than is taken
└── DecodeError               decode_failed
"""

from __future__ import annotations

from storage.errors import RungsError


class MediaError(RungsError):
    """The upload itself cannot be encoded; trying again would end the same way."""

    code = "media_error"


class NotMediaError(MediaError):
    """No known container of video could be opened."""

    code = "not_a_video"


class AudioOnlyError(MediaError):
    """The file holds sound but no moving picture."""

    code = "audio_only"


class PictureOnlyError(MediaError):
    """The file is a still picture."""

    code = "picture_only"


class SubtitlesOnlyError(MediaError):
    """The file holds subtitles but nothing that they could be shown on."""

    code = "subtitles_only"


class TextOnlyError(MediaError):
    """The file is text for people, be it coloured for a screen or for a browser."""

    code = "text_only"


class PlaylistOnlyError(MediaError):
    """The file says where videos are (HLS, DASH, concat, a reference movie); nothing of it is followed."""

    code = "playlist_only"


class CodecUnsupportedError(MediaError):
    """The pictures are in a codec that is unknown, or that no upload may reach a decoder of."""

    code = "codec_unsupported"


class TooComplexError(MediaError):
    """Reading all that the file declares would take more memory than any video needs."""

    code = "too_complex"


class NoFramesError(MediaError):
    """A video stream is declared, but not one frame of it can be decoded."""

    code = "no_frames"


class TooLargePictureError(MediaError):
    """The picture has more pixels than this installation decodes."""

    code = "picture_too_large"

    def __init__(self, *, width: int, height: int, max_pixels: int) -> None:
        megapixels, limit = width * height / 1_000_000, max_pixels / 1_000_000
        super().__init__(values={"width": width, "height": height, "megapixels": megapixels, "limit": limit})


class TooSmallPictureError(MediaError):
    """The picture is smaller than any encoder's block; nobody could see it."""

    code = "picture_too_small"

    def __init__(self, *, width: float, height: float, side: float) -> None:
        super().__init__(values={"width": width, "height": height, "side": side})


class TooLongError(MediaError):
    """The video lasts longer than this installation encodes."""

    code = "too_long"

    def __init__(self, *, minutes: float, limit: float) -> None:
        super().__init__(values={"minutes": minutes, "limit": limit})


class DolbyVisionError(MediaError):
    """The picture is in Dolby's own colours (profile 5), which only Dolby Vision players can show."""

    code = "dolby_vision_only"


class EncryptedError(MediaError):
    """The pictures are encrypted: copy protection of whatever kind, in whatever container."""

    code = "encrypted"


class AnimatedPictureError(MediaError):
    """The file is an animated picture of a kind that ffmpeg cannot decode."""

    code = "animated_picture"


class TooMuchWorkError(MediaError):
    """A task took many times the processor time that the plan lets expect: the file is not what it says."""

    code = "too_much_work"


class TooCostlyError(MediaError):
    """The plan costs more encoder-hours than this installation gives one video."""

    code = "too_costly"

    def __init__(self, *, hours: float, limit: float) -> None:
        super().__init__(values={"hours": hours, "limit": limit})


class DecodeError(MediaError):
    """Decoding fails in a way that another attempt cannot mend."""

    code = "decode_failed"
