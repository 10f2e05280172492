"""The containers as people start them: upload through nginx, encoded by two encoders, played by ranges."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.compose import Stack

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1500)]

ENCODERS = 2


@pytest.fixture(scope="module")
def finished(stack: Stack, clip: Callable[..., Path]) -> dict[str, Any]:
    """Give a job that went all the way through the containers."""
    return stack.ended(stack.upload(clip("clip.mp4", seconds=2, size="1920x1080", rate="25"))["id"])


def test_every_container_is_healthy_and_two_encode(stack: Stack) -> None:
    """Each service passes its health check, and `--scale` gave two encoders."""
    services = [service["Service"] for service in stack.services()]
    once = ["control", "janitor", "keys", "minio", "nginx", "redis", "rights", "web"]
    assert sorted(services) == sorted([*once, *["encoder"] * ENCODERS])


def test_an_upload_through_nginx_becomes_three_videos(finished: dict[str, Any]) -> None:
    """The job is ready with the whole ladder."""
    assert finished["state"] == "ready", finished["error"]
    sizes = [(rung["name"], rung["width"], rung["height"]) for rung in finished["rungs"]]
    assert sizes == [("1080p", 1920, 1080), ("720p", 1280, 720), ("480p", 854, 480)]


@pytest.mark.parametrize("rung", [0, 1, 2])
def test_videos_are_served_by_ranges(rung: int, stack: Stack, finished: dict[str, Any]) -> None:
    """A range gets 206 and just its bytes, with our headers and none of MinIO's."""
    url, size = finished["rungs"][rung]["url"], finished["rungs"][rung]["size"]
    status, headers, body = stack.ask("GET", url, Range="bytes=4-7")
    assert (status, body, headers["content-range"]) == (206, b"ftyp", f"bytes 4-7/{size}")
    assert headers["content-type"] == "video/mp4"
    assert headers["x-content-type-options"] == "nosniff"
    assert "content-security-policy" in headers
    assert not [name for name in headers if name.startswith("x-amz")]
    assert headers["server"] == "nginx"
    assert stack.ask("GET", url, Range=f"bytes={size}-")[0] == 416
    status, headers, body = stack.ask("HEAD", url)
    assert (status, headers["content-length"], body) == (200, str(size), b"")


def test_a_video_is_served_whole_and_again_only_when_changed(stack: Stack, finished: dict[str, Any]) -> None:
    """The file is complete, its moov stands before its data, and a revisit costs no transfer."""
    url, size = finished["rungs"][2]["url"], finished["rungs"][2]["size"]
    status, headers, body = stack.ask("GET", url)
    assert (status, len(body)) == (200, size)
    assert body.index(b"moov") < body.index(b"mdat")
    assert stack.ask("GET", url, If_None_Match=headers["etag"])[0] == 304


def test_nothing_but_nginx_is_reachable_from_outside(stack: Stack) -> None:
    """Neither Redis nor MinIO nor the web service publishes a port, and nginx only on loopback."""
    published = {
        (service["Service"], publisher["URL"], publisher["PublishedPort"])
        for service in stack.services()
        for publisher in service["Publishers"] or []
        if publisher["PublishedPort"]
    }
    assert published == {("nginx", "127.0.0.1", stack.port)}


def test_the_object_store_is_not_reachable_through_nginx(stack: Stack, finished: dict[str, Any]) -> None:
    """The internal location does not exist for visitors, signed or not."""
    for path in ("/_store/", f"/_store/rungs/renditions/{finished['id']}/480p.mp4"):
        assert stack.ask("GET", path)[0] == 404, path


def test_events_arrive_while_they_happen(stack: Stack, finished: dict[str, Any]) -> None:
    """Nginx does not hold events back: the replay of a finished job's events comes at once."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=15)
    connection.request("GET", f"/api/jobs/{finished['id']}/events", headers={"Last-Event-ID": "0"})
    answer = connection.getresponse()
    assert answer.getheader("content-type", "").startswith("text/event-stream")
    lines = [answer.readline().decode() for _ in range(2)]
    connection.close()
    assert any(line.strip() for line in lines)


def test_stopping_an_encoder_takes_no_longer_than_its_drain(stack: Stack) -> None:
    """A stopped worker ends by itself (exit code 0), not by the engine's kill after the grace period."""
    stack.compose("stop", "encoder", seconds=90)
    codes = [service["ExitCode"] for service in stack.services() if service["Service"] == "encoder"]
    assert codes == [0] * ENCODERS
    stack.compose("start", "encoder")  # for the tests after it
