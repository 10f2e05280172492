"""The API answers as it is described: `make test-schema` asks more of the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.schema.asking import OPEN, ask, errors_logged
from tests.support.web_server import WebServer

# Of each operation in each phase: about 600 cases in all, in less than a minute.
EXAMPLES = 8
SEED = 20_261_129


@pytest.mark.timeout(300)
def test_the_api_answers_as_it_is_described(tmp_path: Path, redis_url: str) -> None:
    """No error of ours, no answer that is not told, nothing taken that is forbidden, and 405 for other methods."""
    server = WebServer(tmp_path, redis_url, **OPEN).start()
    try:
        said = ask(server, redis_url, examples=EXAMPLES, seed=SEED)
    finally:
        server.stop()
    assert said.returncode == 0, said.stdout[-8000:] + said.stderr
    cases = re.search(r"([\d,]+) generated", said.stdout)
    assert cases is not None
    assert int(cases[1].replace(",", "")) > 400
    assert errors_logged(server) == ""
