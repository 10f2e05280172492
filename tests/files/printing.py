"""One line for each file, what is unlike below it, and a summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tests.files.comparing import Unlike
from tests.files.explained import Explanation
from tests.files.running import Tried


def lines(tried: Tried, known: Sequence[Explanation]) -> Iterator[str]:
    """Yield a file's line, then a line for each way in which it is unlike, with its explanation where there is one."""
    found = tried.compared
    figures = ""
    if found.got is not None:
        figures = (
            f" {found.wanted:8.2f}/{found.got:.2f} s, pictures {found.seen}/{found.seen_wrong} wrong{_ms(found.worst)},"
            f" like {found.likeness:.3f},"
            f" sound {found.heard}/{found.heard_wrong} wrong{_ms(found.lag)}, {found.shape}"
        )
    notes = "; ".join([*found.notes, *(f"warned {code}" for code in tried.warnings)])
    verdict = "unlike" if found.unlike else "alike"
    yield f"{tried.name[:42]:42} {tried.state:12} {verdict:6}{figures}, {tried.seconds:.0f} s {notes}".rstrip()
    for unlike in found.unlike:
        reason = explained(tried, unlike, known)
        why = f" -- explained: {reason.why}" if reason else ""
        yield f"{'':4}UNLIKE {unlike.what:11} {unlike.view:10} {unlike.how}{why}"


def explained(tried: Tried, unlike: Unlike, known: Sequence[Explanation]) -> Explanation | None:
    """Return why a file is unlike in this way, None where nobody has said so."""
    return next((one for one in known if one.explains(tried.name, unlike)), None)


def summary(tried: Sequence[Tried], known: Sequence[Explanation]) -> tuple[str, int]:
    """Return the last lines, and how many files are unlike in a way that is not explained."""
    alike = [one for one in tried if not one.compared.unlike]
    unlike = [one for one in tried if any(explained(one, way, known) is None for way in one.compared.unlike)]
    ways = {(one.name, way) for one in tried for way in one.compared.unlike}
    idle = [entry for entry in known if not any(entry.explains(name, way) for name, way in ways)]
    reasoned = len(tried) - len(alike) - len(unlike)
    text = [f"{len(tried)} files: {len(alike)} alike, {reasoned} unlike as explained, {len(unlike)} unlike"]
    text += [f"unlike: {one.name}" for one in sorted(unlike, key=lambda one: one.name)]
    seen = {one.name for one in tried}
    text += [f"explained but alike: {entry.file} {entry.what}" for entry in idle if entry.file in seen]
    return "\n".join(text), len(unlike)


def _ms(seconds: float) -> str:
    if np.isnan(seconds):
        return " (like none)"
    return f" ({seconds * 1000:+.0f} ms)" if seconds else ""
