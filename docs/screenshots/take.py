# noqa: INP001 - a script beside its pictures, not a package
"""Take the README's screenshots of a running installation: form, queue, running job, finished job; light, dark, phone.

    python docs/screenshots/take.py http://127.0.0.1:8000 RUNNING_JOB_ID FINISHED_JOB_ID docs/screenshots

Needs Debian's chromium and ffmpeg (which reduces the pictures to 256 colours, so that each stays small).
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

MAX_BYTES = 200_000  # of one picture: the first screen of the README must not take seconds
REDUCE = "split[picture][copy];[copy]palettegen=stats_mode=single[palette];[picture][palette]paletteuse=dither=none"
REDUCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Look:
    """One way to look at a page; sizes in CSS pixels."""

    name: str
    width: int
    height: int
    scheme: str
    scale: float


LOOKS = (
    Look("light", 1200, 900, "light", 1),
    Look("dark", 1200, 900, "dark", 1),
    Look("phone", 390, 844, "light", 1.5),
)


def take(browser: Browser, address: str, look: Look, path: Path) -> None:
    """Write one screenshot of the page as it is once its pictures are there."""
    context = browser.new_context(
        viewport={"width": look.width, "height": look.height},
        color_scheme="dark" if look.scheme == "dark" else "light",
        device_scale_factor=look.scale,
        locale="en-US",
    )
    page = context.new_page()
    page.goto(address)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    for picture in page.locator("img:visible").all():
        picture.scroll_into_view_if_needed()  # those below are loaded when they are needed
        expect(picture).to_have_js_property("complete", value=True)
    page.evaluate("scrollTo(0, 0)")
    # Live pages hold a connection open for ever, so idle means: the scripts have worded the times.
    if page.locator("time").count():
        expect(page.locator("time").first).not_to_contain_text("UTC")
    if page.locator("#player:visible").count():
        expect(page.locator("#player")).not_to_have_js_property("readyState", 0)
    page.screenshot(path=path, animations="disabled")
    context.close()
    reduce(path)


def reduce(path: Path) -> None:
    """Write the PNG again with at most 256 colours; raise ValueError if it is still too large."""
    small = path.with_suffix(".small.png")
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(path), "-vf", REDUCE, str(small)]
    subprocess.run(command, check=True, timeout=REDUCE_SECONDS)
    small.replace(path)
    if (size := path.stat().st_size) > MAX_BYTES:
        raise ValueError(f"{path} has {size} bytes, more than {MAX_BYTES}.")


def main() -> None:
    """Take the whole set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="where the service answers")
    parser.add_argument("running", help="id of a job that is being encoded")
    parser.add_argument("finished", help="id of a job that is ready")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    arguments = parser.parse_args()
    base = arguments.address.rstrip("/")
    pages = {"form": f"{base}/", "queue": f"{base}/queue", "running": f"{base}/jobs/{arguments.running}"}
    pages["finished"] = f"{base}/jobs/{arguments.finished}"
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"],
        )
        for page, address in pages.items():
            for look in LOOKS:
                path = arguments.folder / f"{page}-{look.name}.png"
                take(browser, address, look, path)
                sys.stdout.write(f"{path} {path.stat().st_size} bytes\n")
        browser.close()


if __name__ == "__main__":
    main()
