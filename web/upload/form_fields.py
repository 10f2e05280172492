"""What a form's texts may hold: a display name, a title, a webhook's address. Pure."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from storage.errors import InvalidRequestError

NAME_LENGTH = 200  # characters of a title or file name that are kept: more does not fit any page
URL_LENGTH = 2048  # what proxies and servers commonly take
UNNAMED = "video"

# Controls, and the marks that turn the reading direction around: `exe.4pm` must not look like `mp4.exe`.
_HIDDEN = re.compile("[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufffe\uffff]")
_SPACES = re.compile(r"\s+")
_URL_CHARACTERS = re.compile(r"[!-~]+")


def clean_text(text: str) -> str:
    """Return the text on one line, composed, without hidden characters, cut to NAME_LENGTH characters."""
    composed = unicodedata.normalize("NFC", text)
    return _SPACES.sub(" ", _HIDDEN.sub(" ", composed)).strip()[:NAME_LENGTH].strip()


def display_filename(raw: str) -> str:
    """Return the name to show for an uploaded file: its last path component, shortened before its extension."""
    name = _SPACES.sub(" ", _HIDDEN.sub("", unicodedata.normalize("NFC", raw.replace("\\", "/"))))
    name = name.rpartition("/")[2].strip()
    stem, dot, extension = name.rpartition(".")
    if dot and stem and len(extension) < NAME_LENGTH // 10:
        return f"{stem[: NAME_LENGTH - len(extension) - 1]}.{extension}"
    return name[:NAME_LENGTH] or UNNAMED


def title_of(title: str, filename: str) -> str:
    """Return the job's title: the one given, else the file's name without its extension."""
    return clean_text(title) or filename.rpartition(".")[0] or filename


def checked_webhook_url(url: str) -> str | None:
    """Return the address to call when the job ends, None for an empty field. Raises InvalidRequestError.

    Whether the host may be called at all is decided when it is called: names can change what they point to.
    """
    url = url.strip()
    if not url:
        return None
    if len(url) > URL_LENGTH or not _URL_CHARACTERS.fullmatch(url):
        raise InvalidRequestError("`webhook_url` is too long or holds characters that a URL cannot have.")
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError as error:
        raise InvalidRequestError("`webhook_url` is not a URL.") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_valid:
        raise InvalidRequestError("`webhook_url` must begin with http:// or https:// and name a host.")
    if parts.username is not None or parts.password is not None:
        raise InvalidRequestError("`webhook_url` must hold no user name or password.")
    return url
