"""What a form's texts may hold: a display name, a title, a webhook's address. Pure."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from storage.errors import InvalidRequestError
from storage.model.loudness import TARGETS
from storage.model.record_checks import LONGEST_URL
from storage.model.shown_text import HIDDEN, NAME_LENGTH, SPACES, clean_text, is_visible

URL_LENGTH = LONGEST_URL  # a longer one could not be read back
UNNAMED = "video"
OFF = "off"

# A host is a name or an address, as certificates and resolvers know them; what follows it is the receiver's business.
_URL_CHARACTERS = re.compile(r"[!-~]+")
_URL_HOST = re.compile(r"[a-z0-9._~-]+|[0-9a-f:.]+", re.IGNORECASE)


def display_filename(raw: str) -> str:
    """Return the name to show for an uploaded file: its last path component, shortened before its extension."""
    name = SPACES.sub(" ", HIDDEN.sub("", unicodedata.normalize("NFC", raw.replace("\\", "/"))))
    name = name.rpartition("/")[2].strip()
    stem, dot, extension = name.rpartition(".")
    if dot and stem and len(extension) < NAME_LENGTH // 10:
        return f"{stem[: NAME_LENGTH - len(extension) - 1] if is_visible(stem) else UNNAMED}.{extension}"
    return name[:NAME_LENGTH] if is_visible(name) else UNNAMED


def title_of(title: str, filename: str) -> str:
    """Return the job's title: the one given, else the file's name without its extension."""
    return clean_text(title) or filename.rpartition(".")[0] or filename


def checked_loudness(text: str) -> int | None:
    """Return the loudness to which sound is brought, in LUFS; None for `off` or an empty field.

    Raises InvalidRequestError.
    """
    if text in {"", OFF}:
        return None
    if text not in map(str, TARGETS):
        raise InvalidRequestError(reason="loudness", values={"known": ", ".join(map(str, TARGETS))})
    return int(text)


def checked_webhook_url(url: str) -> str | None:
    """Return the address to call when the job ends, None for an empty field. Raises InvalidRequestError.

    Whether the host may be called at all is decided when it is called: names can change what they point to.
    """
    too_long = len(url) > URL_LENGTH
    url = url.strip(" \t\r\n")
    if not url and not too_long:
        return None
    if too_long or not _URL_CHARACTERS.fullmatch(url):
        raise InvalidRequestError(reason="webhook_characters")
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError as error:
        raise InvalidRequestError(reason="webhook_url") from error
    if parts.scheme not in {"http", "https"} or not _URL_HOST.fullmatch(parts.hostname or "") or not port_is_valid:
        raise InvalidRequestError(reason="webhook_scheme")
    if parts.username is not None or parts.password is not None:
        raise InvalidRequestError(reason="webhook_user")
    return url
