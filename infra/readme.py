"""Writes the table of settings into README.md, from the class that reads them: `python -m infra.readme`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from storage.settings import Settings

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN = "<!-- settings: begin (make readme) -->"
END = "<!-- settings: end -->"


def settings_table() -> str:
    """Return one Markdown row for every setting: name, default, meaning."""
    rows = [f"| `{name.upper()}` | {_default(field)} | {field.description} |" for name, field in _fields().items()]
    return "\n".join(["| Variable | Default | Meaning |", "|---|---|---|", *rows])


def with_table(text: str) -> str:
    """Return the README with the table between its markers made anew; raise ValueError if a marker is missing."""
    before, after = text.index(BEGIN) + len(BEGIN), text.index(END)
    return f"{text[:before]}\n{settings_table()}\n{text[after:]}"


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
    README.write_text(with_table(README.read_text()))
