"""Every file of ../shared/media under every wrong name, beside canaries: `make test-nasty`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage.errors import RungsError
from tests.support.canaries import Canaries
from tests.support.media import media_root
from tests.support.planning_cost import LIMITS
from tests.support.silence import WRONG_NAMES, opened, tells_a_secret
from workers.planning.plan_file import ConcealError, plan_file
from workers.sandbox.allowed_inputs import input_arguments
from workers.sandbox.run import Watch

FOLDERS = ("nasty", "happy")
pytestmark = [pytest.mark.nasty, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def canaries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    """Give canaries that nothing has touched yet."""
    with Canaries(tmp_path_factory.mktemp("beside")) as found:
        yield found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each file, or one that says that the folder is missing."""
    if "upload" in metafunc.fixturenames:
        root = media_root()
        found = [path for folder in FOLDERS for path in sorted((root / folder).glob("*"))] if root.is_dir() else []
        metafunc.parametrize("upload", [f"{path.parent.name}/{path.name}" for path in found] or [""])


def test_no_file_reaches_what_lies_beside_it(
    upload: str, media_dir: Path, canaries: Canaries, say: Callable[[str], None]
) -> None:
    """Neither when it is planned, nor when ffprobe and ffmpeg are given it with what stands before every input."""
    end = ""
    for name in WRONG_NAMES:
        path = canaries.folder / name
        shutil.copyfile(media_dir / upload, path)
        said = opened(path, input_arguments(str(path)))
        end = ended(path)
        path.unlink()
        assert (name, canaries.touched(), tells_a_secret(said + end)) == (name, [], False)
    say(f"{upload[:60]:60} {end.partition(':')[0]}")


def ended(path: Path) -> str:
    """Return the code, the sentence and the detail of the refusal, or that it was planned."""
    try:
        plan_file(str(path), LIMITS, Watch())
    except RungsError as error:
        return f"{error.code}: {error.message} {error.detail}"
    except ConcealError:
        return "concealed"
    return "plan"
