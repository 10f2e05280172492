"""Looking at what a job was made into, as a player fetches it: every MP4 and every HLS playlist, decoded to the end."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.hls import read_playlist

_DECODE_SECONDS = 120
_NAMED = re.compile(r'^(?:#EXT-X-(?:MAP|MEDIA):.*URI="([^"]+)".*|([^#].*))$', re.MULTILINE)
_SHEETS = re.compile(r"^(.+)#xywh=", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Track:
    """A video or sound as decoded: its pictures (0 for sound alone), whether it has sound, what the decoder said."""

    frames: int
    sound: bool
    complaint: str


class Player:
    """Fetches and decodes; equal bytes are decoded once. `folder` keeps what was fetched."""

    def __init__(self, port: int, folder: Path) -> None:
        self._port = port
        self._folder = folder
        self._known: dict[str, Track] = {}

    def ask(self, path: str) -> Any:
        """Return a page of the API."""
        return json.loads(self._get(path))

    def tracks(self, job: dict[str, Any]) -> tuple[dict[str, Track], frozenset[str]]:
        """Return the MP4s and the HLS tracks of a ready job by name, and all addresses that lead to something of it."""
        found, fetched = dict[str, Track](), set[str]()
        for rung in job["rungs"]:
            fetched.add(rung["url"])
            found[f"{rung['name']}.mp4"] = self._decoded(self._get(rung["url"]), ".mp4")
        for playlist in self._fetched_hls(job["hls_url"], fetched):
            found[f"hls/{playlist.parent.name}"] = self._decoded(read_playlist(playlist).whole, ".mp4")
        beside = [url for url in (job["poster_url"], job["links"]["report"]) if url is not None]
        if (cues := job["storyboard_url"]) is not None:
            sheets = {name.partition("#")[0] for name in _SHEETS.findall(self._get(cues).decode())}
            beside += [cues, *(f"{cues.rpartition('/')[0]}/{name}" for name in sheets)]
        for url in beside:
            self._get(url)
        fetched |= set(beside)
        return found, frozenset(fetched)

    def _fetched_hls(self, master: str, fetched: set[str]) -> list[Path]:
        """Fetch the master playlist and all it leads to; return the media playlists' copies."""
        playlists = []
        for name in self._keep(master, fetched):
            path = f"{master.rpartition('/')[0]}/{name}"
            for part in self._keep(path, fetched):
                self._keep(f"{path.rpartition('/')[0]}/{part}", fetched)
            playlists.append(self._place(path))
        return playlists

    def _keep(self, path: str, fetched: set[str]) -> list[str]:
        """Store a copy; return the names in it, if it is a playlist."""
        if path not in fetched:
            fetched.add(path)
            place = self._place(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(self._get(path))
        if not path.endswith(".m3u8"):
            return []
        names = (quoted or plain for quoted, plain in _NAMED.findall(self._place(path).read_text()))
        return list(dict.fromkeys(name.strip() for name in names if name.strip()))

    def _place(self, path: str) -> Path:
        return self._folder / path.lstrip("/")

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_DECODE_SECONDS)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK:
            raise LookupError(f"{answer.status} for {path}")
        return content

    def _decoded(self, data: bytes, suffix: str) -> Track:
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self._known:
            path = self._folder / f"{digest}{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            self._known[digest] = decoded(path)
            path.unlink()
        return self._known[digest]


def decoded(path: Path) -> Track:
    """Decode every picture and all sound of the file."""
    command = ["ffprobe", "-v", "error", "-count_frames", "-of", "json"]
    asked = subprocess.run(
        [*command, "-show_entries", "stream=codec_type,nb_read_frames", str(path)],
        capture_output=True,
        text=True,
        timeout=_DECODE_SECONDS,
        check=False,
    )
    streams = json.loads(asked.stdout).get("streams", [])
    counts = {stream["codec_type"]: int(stream.get("nb_read_frames", 0)) for stream in streams}
    return Track(counts.get("video", 0), counts.get("audio", 0) > 0, asked.stderr.strip()[:300])
