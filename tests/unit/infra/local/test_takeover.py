"""A DATA_DIR of root becomes the system user's once, and nothing outside of it does."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from infra.local import takeover
from infra.local.system_user import SystemUser
from storage.settings import SettingsError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")

USER = SystemUser("rungs", 64_001, 64_002, "/nonexistent")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Give a DATA_DIR as root's installation left it."""
    for name in ("run", "logs", "redis/appendonlydir", "objects/originals", "scratch", "lost+found"):
        (tmp_path / "data" / name).mkdir(parents=True)
    (tmp_path / "data/redis/appendonlydir/aof").write_text("records")
    (tmp_path / "data/run/lock").touch()
    return tmp_path / "data"


def owner(path: Path) -> tuple[int, int]:
    """Return user and group of the path itself."""
    status = path.lstat()
    return status.st_uid, status.st_gid


def test_everything_of_ours_changes_its_owner_once(data_dir: Path) -> None:
    """The second time nothing is left to do, and DATA_DIR is closed from the first on."""
    assert takeover.hand_over(data_dir, USER) == 9
    for path in (data_dir, data_dir / "redis/appendonlydir/aof", data_dir / "objects/originals", data_dir / "run/lock"):
        assert owner(path) == (USER.uid, USER.gid)
    assert owner(data_dir / "lost+found") == (0, 0)
    assert data_dir.stat().st_mode & 0o777 == 0o700
    assert takeover.hand_over(data_dir, USER) == 0


def test_links_are_not_followed(data_dir: Path, tmp_path: Path) -> None:
    """Neither a linked file nor a linked folder is given away."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "shadow").touch()
    (data_dir / "objects/file").symlink_to(outside / "shadow")
    (data_dir / "objects/folder").symlink_to(outside)
    (data_dir / "scratch").rmdir()
    (data_dir / "scratch").symlink_to(outside)
    takeover.hand_over(data_dir, USER)
    assert owner(outside) == owner(outside / "shadow") == (0, 0)


def test_a_file_with_a_second_name_is_refused_and_nothing_is_taken_for_done(data_dir: Path, tmp_path: Path) -> None:
    """A hard link may be a file outside; once it is gone the takeover is begun again."""
    secret = tmp_path / "secret"
    secret.touch()
    (data_dir / "objects/twin").hardlink_to(secret)
    with pytest.raises(SettingsError, match=r"twin has a second name"):
        takeover.hand_over(data_dir, USER)
    assert owner(secret) == owner(data_dir) == (0, 0)
    secret.unlink()
    assert takeover.hand_over(data_dir, USER) == 10


def test_a_folder_with_other_things_is_refused(data_dir: Path) -> None:
    """DATA_DIR=/srv must not give away all of /srv."""
    (data_dir / "www").mkdir()
    with pytest.raises(SettingsError, match=r"^DATA_DIR: .* also holds www;"):
        takeover.hand_over(data_dir, USER)
    assert owner(data_dir / "redis") == (0, 0)


def test_a_folder_of_somebody_else_is_refused(data_dir: Path) -> None:
    """The sentence names the owner and the two ways on."""
    os.chown(data_dir, 64_003, 64_003)
    with pytest.raises(SettingsError, match=r"belongs to user 64003; start as that user, or: chown -R rungs:"):
        takeover.hand_over(data_dir, USER)


def test_a_running_installation_is_left_alone(data_dir: Path) -> None:
    """Root's old installation still writes there."""
    with (data_dir / "run/lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SettingsError, match="already runs"):
            takeover.hand_over(data_dir, USER)
    assert owner(data_dir / "redis") == (0, 0)


def test_a_new_folder_is_the_users_and_closed(tmp_path: Path) -> None:
    """What leads to it stays root's."""
    assert takeover.hand_over(tmp_path / "srv/data", USER) == 0
    assert owner(tmp_path / "srv/data") == (USER.uid, USER.gid)
    assert (tmp_path / "srv/data").stat().st_mode & 0o777 == 0o700
    assert owner(tmp_path / "srv") == (0, 0)
