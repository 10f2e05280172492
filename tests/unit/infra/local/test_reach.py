"""The system user can read the code and change none of it, and a closed folder on the way is found."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import reach
from infra.local.system_user import SystemUser, acting_as
from storage.settings import SettingsError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")

USER = SystemUser("rungs", 64_001, 64_002, "/nonexistent")


@pytest.fixture
def code() -> Iterator[Path]:
    """Give a folder of code below one that others can pass; pytest's own folders are closed to them."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        package = Path(folder, "app/web")
        package.mkdir(parents=True)
        (package / "app.py").touch()
        (package / "gone.py").symlink_to(package / "nowhere")
        yield package


def fault(code: Path) -> str:
    """Return the first line that the check gives as the user, the empty text for none."""
    with acting_as(USER):
        try:
            reach.check_code([code], USER.name)
        except SettingsError as error:
            return str(error)
    return ""


def test_code_of_root_is_readable_and_safe(code: Path) -> None:
    """The usual checkout passes, a link that leads nowhere included."""
    assert fault(code) == ""


@pytest.mark.parametrize("name", ["app.py", ".", ".."])
def test_code_that_the_user_may_change_is_refused(name: str, code: Path) -> None:
    """A file, its folder, or the folder above, where it could be exchanged."""
    os.chown(code / name, USER.uid, USER.gid)
    assert fault(code).startswith("root: the user rungs, as whom all parts run, may write to ")


@pytest.mark.parametrize("name", ["app.py", "."])
def test_code_that_the_user_cannot_read_is_refused(name: str, code: Path) -> None:
    """The sentence says how to open it."""
    (code / name).chmod(0o700 if name == "." else 0o600)
    assert fault(code).endswith(f"try: chmod -R go+rX {code}")


def test_a_closed_folder_on_the_way_is_found(code: Path) -> None:
    """The outermost one counts: what lies in it cannot be looked at."""
    with acting_as(USER):
        assert reach.closed_above(code) is None
    code.parent.chmod(0o700)
    code.parent.parent.chmod(0o700)
    with acting_as(USER):
        assert reach.closed_above(code) == code.parent.parent
