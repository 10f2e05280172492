"""Sending a video as people do: by `rungs upload`, or by the upload page in a real browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.bench.installation import JOB_SECONDS
from tests.e2e.browser import CHROMIUM_OPTIONS
from tests.e2e.uploading import JOB_PAGE

Send = Callable[[Path, int], None]


def by_command(video: Path, port: int) -> None:
    """Send the video by `rungs upload` to this port; return when its last byte was taken."""
    command = [sys.executable, "-m", "infra.cli", "upload", "--json", str(video)]
    with tempfile.TemporaryDirectory() as remembered:
        environment = {**os.environ, "RUNGS_SERVER": f"http://127.0.0.1:{port}", "XDG_STATE_HOME": remembered}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)


def by_page(video: Path, port: int) -> None:
    """Send the video by the upload page; return when its last byte was taken, and the browser is gone.

    The page goes on to that of the job then. A browser that plays there would take what the encoders need.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM_OPTIONS))
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        page.set_input_files("#file", video)
        page.click("#send")
        page.wait_for_url(JOB_PAGE, timeout=JOB_SECONDS * 1000, wait_until="commit")
        browser.close()


CLIENTS: Mapping[str, Send] = {"cli": by_command, "page": by_page}
