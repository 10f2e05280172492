"""What is known to be unlike, and why: explained.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tests.files.comparing import Unlike

EXPLAINED = Path(__file__).with_name("explained.toml")


@dataclass(frozen=True)
class Explanation:
    """Why files of a name may be unlike in one way."""

    file: str
    what: str
    why: str

    def explains(self, name: str, unlike: Unlike) -> bool:
        """Tell whether this is the file and the way."""
        return fnmatchcase(name, self.file) and unlike.what == self.what


def explanations(path: Path = EXPLAINED) -> tuple[Explanation, ...]:
    """Return all of them. Raises TypeError where an entry lacks one of the three or has a fourth."""
    return tuple(Explanation(**entry) for entry in tomllib.loads(path.read_text()).get("explained", []))
