"""The upload page hands the index of a file over that lies behind its media."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from storage.objects import keys
from storage.services.upload_index import place_of_index
from tests.e2e.browser import Site, Visit, slow_network
from tests.e2e.uploading import MEGABYTE, SLOW, arrived, begin
from tests.support.boxes_ahead import FILES, MOST
from tests.support.waiting import wait_until

FIND = """async ({ files, most }) => {
    const { indexOf } = await import("/static/js/upload/index-ahead.js");
    const blobs = files.map((file) => new Blob([Uint8Array.from(atob(file), (c) => c.charCodeAt(0))]));
    return Promise.all(blobs.map((blob) => indexOf(blob, most)));
}"""
INDEX_BYTES = 100_000


@pytest.fixture
def boxed(tmp_path: Path) -> Callable[..., Path]:
    """Give a factory of four megabytes in boxes, of these kinds in turn."""

    def make(*kinds: bytes) -> Path:
        chance, path = Random(1), tmp_path / "holiday film.mp4"
        sizes = {b"ftyp": 12, b"moov": INDEX_BYTES - 8, b"mdat": 4 * MEGABYTE}
        boxes = [kind + chance.randbytes(sizes[kind]) for kind in kinds]
        path.write_bytes(b"".join((4 + len(box)).to_bytes(4, "big") + box for box in boxes))
        return path

    return make


def test_the_page_finds_an_index_where_the_command_does(site: Site, visit: Visit) -> None:
    """In files of any kind."""
    visit.page.goto(site.url)
    files = [base64.b64encode(data).decode() for data, _ in FILES.values()]
    found = visit.page.evaluate(FIND, {"files": files, "most": MOST})
    places = [place and (place["begin"], place["end"]) for place in found]
    assert dict(zip(FILES, places, strict=True)) == {name: expected for name, (_, expected) in FILES.items()}


def test_an_index_behind_the_media_is_sent_beside_them(site: Site, visit: Visit, boxed: Callable[..., Path]) -> None:
    """It is there long before the last byte, once, and gone when the job is there."""
    film, objects, puts = boxed(b"ftyp", b"mdat", b"moov"), site.web.services.objects, list[str]()
    visit.page.on("request", lambda sent: puts.append(sent.url) if sent.method == "PUT" else None)
    size = film.stat().st_size

    def place() -> tuple[int, int] | None:
        ids = [key.split("/")[1] for key in objects.keys(keys.UPLOADS)]
        return place_of_index(objects, ids[0]) if ids else None

    with slow_network(visit, bytes_per_second=SLOW):
        begin(site, visit.page, film)
        wait_until(lambda: place() == (size - INDEX_BYTES, size), what="the index")
        visit.page.click(".file [data-field=pause]")
    visit.page.click(".file [data-field=pause]")
    assert arrived(site, visit.page, film)
    assert len(puts) == 1


def test_nothing_is_sent_ahead_of_a_file_that_begins_with_its_index(
    site: Site, visit: Visit, boxed: Callable[..., Path]
) -> None:
    """It comes first anyway."""
    puts = list[str]()
    visit.page.on("request", lambda sent: puts.append(sent.url) if sent.method == "PUT" else None)
    film = boxed(b"ftyp", b"moov", b"mdat")
    visit.page.goto(site.url)
    visit.page.set_input_files("#file", film)
    visit.page.click("#send")
    assert arrived(site, visit.page, film)
    assert puts == []
