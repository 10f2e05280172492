"""Every decoder on the list opens its file, and only because it is on the list."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.decoder_files import PICTURES, SOUND, TEXT, write_file
from workers.sandbox import allowed_codecs
from workers.sandbox.allowed_codecs import CODEC_WHITELIST
from workers.sandbox.allowed_inputs import as_input, input_options

LISTED = CODEC_WHITELIST.split(",")
_REFUSED = re.compile(r"Codec \((\S+)\) not on whitelist")


def refused(path: Path, whitelist: str, decoders: tuple[str, ...] = ()) -> set[str]:
    """Return the decoders that ffmpeg did not open for want of their names on this list."""
    options = {**input_options(str(path)), "codec_whitelist": whitelist}
    arguments = [part for key, value in options.items() for part in (f"-{key}", str(value))]
    command = ["ffmpeg", "-nostdin", "-v", "error", *arguments, *decoders, "-i", as_input(str(path))]
    ended = subprocess.run(
        [*command, "-map", "0", "-f", "null", "-"], check=False, timeout=60, capture_output=True, text=True
    )
    return set(_REFUSED.findall(ended.stderr))


def test_every_decoder_has_a_file() -> None:
    """No name stands on the list that nothing here opens."""
    assert sorted(LISTED) == sorted({**PICTURES, **SOUND, **TEXT})
    assert len(set(LISTED)) == len(LISTED)
    assert all(
        entry.why for table in (allowed_codecs.PICTURES, allowed_codecs.SOUND, allowed_codecs.TEXT) for entry in table
    )


@pytest.mark.parametrize("decoder", LISTED)
def test_a_listed_decoder_opens_its_file(decoder: str, tmp_path: Path) -> None:
    """With the name taken from the list it is the only one that is missed, so that with the list nothing is."""
    path, options = write_file(decoder, tmp_path), {**PICTURES, **SOUND, **TEXT}[decoder].decoders
    assert refused(path, ",".join(name for name in LISTED if name != decoder), options) == {decoder}
