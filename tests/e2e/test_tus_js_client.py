"""The end-to-end cases that tus-js-client has for a real server, in Chromium against this one.

Two of them are otherwise here: a whole upload is a job, so its bytes are looked at in the store, and it is not ended as
an upload any more. So what is ended is an upload that has begun.
"""

from __future__ import annotations

from typing import Any

import pytest

from storage.objects import keys
from tests.e2e.browser import Site, Visit

CONTENT = "hello world"
METADATA = {"nonlatin": "słońce", "number": "100", "filename": "hello.txt", "filetype": "text/plain"}
TOLD = {"filename aGVsbG8udHh0", "filetype dGV4dC9wbGFpbg==", "nonlatin c8WCb8WEY2U=", "number MTAw"}
_UPLOAD = """
    ([content, metadata, options]) => new Promise((resolve, reject) => {
      const upload = new tus.Upload(new Blob(content.split("")), {
        endpoint: "/api/uploads",
        metadata,
        retryDelays: null,
        storeFingerprintForResuming: false,
        onSuccess: () => resolve(upload.url),
        onError: reject,
        ...options,
      });
      upload.start();
    })
"""
_STREAM = """
    ([content, metadata]) => new Promise((resolve, reject) => {
      const stream = new Blob(content.split("")).stream();
      const upload = new tus.Upload(stream.getReader(), {
        endpoint: "/api/uploads",
        metadata,
        chunkSize: 4,
        uploadLengthDeferred: true,
        retryDelays: null,
        storeFingerprintForResuming: false,
        onSuccess: () => resolve(upload.url),
        onError: reject,
      });
      upload.start();
    })
"""
_ENDED = """
    ([content, metadata]) => new Promise((resolve, reject) => {
      const upload = new tus.Upload(new Blob(content.split("")), {
        endpoint: "/api/uploads",
        metadata,
        chunkSize: 4,
        retryDelays: null,
        storeFingerprintForResuming: false,
        onError: reject,
        onChunkComplete: async () => {
          await upload.abort();
          const before = await fetch(upload.url, { method: "HEAD", headers: { "Tus-Resumable": "1.0.0" } });
          await upload.abort(true);
          const after = await fetch(upload.url, { method: "HEAD", headers: { "Tus-Resumable": "1.0.0" } });
          resolve([before.headers.get("upload-offset"), before.headers.get("upload-metadata"), after.status]);
        },
      });
      upload.start();
    })
"""


def run(site: Site, visit: Visit, script: str, *more: object) -> Any:
    """Run a script on the upload page, which has the client."""
    visit.page.goto(site.url)
    visit.page.wait_for_function("window.tus !== undefined")
    return visit.page.evaluate(script, [CONTENT, METADATA, *more])


def stored(site: Site, url: str) -> str:
    """Return what is stored of the job that an upload has become."""
    return b"".join(site.web.services.objects.read(keys.original(url.rpartition("/")[2]))).decode()


@pytest.mark.parametrize("options", [{}, {"uploadDataDuringCreation": True}], ids=["plain", "creation-with-upload"])
def test_a_blob_is_uploaded(site: Site, visit: Visit, options: dict[str, bool]) -> None:
    """Byte by byte what was sent."""
    assert stored(site, run(site, visit, _UPLOAD, options)) == CONTENT


def test_a_stream_without_a_length_is_uploaded(site: Site, visit: Visit) -> None:
    """Its length comes with the last of its pieces."""
    assert stored(site, run(site, visit, _STREAM)) == CONTENT


def test_an_upload_is_ended(site: Site, visit: Visit) -> None:
    """Until then it tells how far it is and what was said of it; then it is gone, with its job."""
    visit.expect_complaints("410")
    offset, metadata, status = run(site, visit, _ENDED)
    assert (offset, status) == ("4", 410)
    assert set(metadata.split(",")) == TOLD
    assert list(site.web.services.objects.keys("")) == []
