"""Planning a file as the planning stage does: again as long as something of it is not to be seen by tools."""

from __future__ import annotations

from pathlib import Path

from storage.model.plan import Plan
from storage.objects.local import LocalObjectStore
from tests.support.planning_cost import LIMITS
from workers.planning.plan_file import NOTHING_CONCEALED, ConcealError, plan_file
from workers.sandbox.relay import Relay
from workers.sandbox.run import Watch


def planned(path: Path) -> Plan:
    """Return the plan of the file. Raises what planning it raises in the end."""
    objects = LocalObjectStore(path.parent / "objects")
    objects.prepare()
    objects.put_file("film", path, content_type="video/mp4")
    concealed = NOTHING_CONCEALED
    while True:
        try:
            with Relay(objects, "film", concealed.appended.without, concealed.unlisted.blank) as relay:
                return plan_file(relay.url, LIMITS, Watch(), concealed)[0]
        except ConcealError as error:
            concealed = error.found
