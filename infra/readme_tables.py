"""Writes the generated tables of the docs: `python -m infra.readme_tables`.

README.md gets the settings, from their class; docs/benchmarks.md the figures, from docs/bench.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from storage.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BENCHMARKS = ROOT / "docs" / "benchmarks.md"
BENCHES = ROOT / "docs" / "bench"


def settings_table() -> str:
    """Return one Markdown row for every setting: name, default, meaning."""
    rows = [f"| `{name.upper()}` | {_default(field)} | {field.description} |" for name, field in _fields().items()]
    return "\n".join(["| Variable | Default | Meaning |", "|---|---|---|", *rows])


def readme_anew(text: str) -> str:
    """Return the README with its settings made anew; raise ValueError if a marker is missing."""
    return _between(text, "settings", settings_table())


def benchmarks_anew(text: str) -> str:
    """Return the page of benchmarks with all its figures made anew; raise ValueError if a marker is missing."""
    for bench in sorted(BENCHES.glob("*.md")):
        text = _between(text, f"bench-{bench.stem}", bench.read_text().strip())
    return text


def _between(text: str, name: str, part: str) -> str:
    begin, end = f"<!-- {name}: begin (make readme) -->", f"<!-- {name}: end -->"
    before, after = text.index(begin) + len(begin), text.index(end)
    return f"{text[:before]}\n{part}\n{text[after:]}"


def _fields() -> dict[str, FieldInfo]:
    return dict(Settings.model_fields)


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "computed"
    value: Any = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, tuple):
        value = ",".join(value)
    if isinstance(value, bool):
        value = str(value).lower()
    return "" if value in (None, "") else f"`{value}`"


if __name__ == "__main__":
    README.write_text(readme_anew(README.read_text()))
    BENCHMARKS.write_text(benchmarks_anew(BENCHMARKS.read_text()))
