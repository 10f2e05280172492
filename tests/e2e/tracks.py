"""Tracks as a job's JSON tells them, and what players fetch of them: made by hand, so that tests know what is in it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Route

from storage.model.job import Job
from tests.e2e.browser import Site, Visit

SECONDS = 24
PART = 2  # seconds of a segment
_DEADLINE = 120
_HLS = re.compile(r"/media/[0-9a-f]{32}/hls/(?:([a-z0-9-]+)/)?([a-z0-9.]+)$")
_SUBTITLES = re.compile(r"/media/[0-9a-f]{32}/subtitles/")
_TYPES = {"m3u8": "application/vnd.apple.mpegurl", "mp4": "video/mp4", "m4s": "video/iso.segment"}


def sound(name: str, language: str, label: str, *, title: str = "", default: bool = False) -> dict[str, Any]:
    """Return an audio track as the job's JSON tells it."""
    told = {"name": name, "label": label, "language": language, "title": title, "default": default}
    return {**told, "channels": [2], "loudness": None}


def subtitle(job: Job, number: str, language: str, label: str, **changes: Any) -> dict[str, Any]:
    """Return subtitles as the job's JSON tells them."""
    told = {"id": number, "label": label, "language": language, "title": "", "default": False, "forced": False}
    url = f"/media/{job.id}/subtitles/{number}.vtt"
    return {**told, "sdh": False, "origin": "file", "url": url, **changes}


def tell(site: Site, tracks: Mapping[str, Any]) -> None:
    """Have the site tell these fields with every job, as they are at the moment."""
    views, of = site.web.views, site.web.views.of
    views.of = lambda job: {**of(job), **tracks}  # type: ignore[method-assign]


def give_subtitles(visit: Visit, words: Mapping[str, str]) -> list[str]:
    """Answer for subtitles with one lasting cue of these words by number; returns what is asked for, as it comes."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        number = Path(urlsplit(route.request.url).path).stem
        asked.append(number)
        route.fulfill(content_type="text/vtt", body=f"WEBVTT\n\n00:00.000 --> 10:00.000\n{words[number]}\n")

    visit.context.route(_SUBTITLES, answer)
    return asked


@dataclass
class HandMade:
    """HLS of a picture and a tone for each audio track, of which `grown` segments are there yet.

    With `surround` its master playlist names variants with six channels beside those with two; nothing is behind them.
    """

    folder: Path
    sounds: Sequence[Mapping[str, Any]]
    grown: int = SECONDS // PART
    surround: bool = False
    asked: list[str] = field(default_factory=list)

    def make(self, tones: Mapping[str, int]) -> None:
        """Encode the picture and the tones, in Hertz by the tracks' names."""
        every = ["-hls_time", str(PART), "-hls_segment_type", "fmp4", "-hls_playlist_type", "vod"]
        names = ["-hls_segment_filename", "%05d.m4s", "index.m3u8"]
        picture = ["-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=24:duration={SECONDS}"]
        x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", str(24 * PART)]
        inputs = {"720p": [*picture, *x264]}
        for name, tone in tones.items():
            sine = f"sine=frequency={tone}:sample_rate=48000:duration={SECONDS}"
            inputs[name] = ["-f", "lavfi", "-i", sine, "-c:a", "aac", "-ac", "2"]
        for name, source in inputs.items():
            (self.folder / name).mkdir(parents=True)
            command = ["ffmpeg", "-nostdin", "-v", "error", *source, "-f", "hls", *every, *names]
            subprocess.run(command, check=True, timeout=_DEADLINE, cwd=self.folder / name)

    def serve(self, visit: Visit) -> None:
        """Answer the visitor's browser in the place of the site."""
        visit.context.route(_HLS, self._answer)

    def _answer(self, route: Route) -> None:
        found = _HLS.search(route.request.url)
        assert found is not None
        track, name = found.groups()
        self.asked.append(f"{track}/{name}" if track else name)
        body = self._master() if track is None else self._part(track, name)
        route.fulfill(content_type=_TYPES[name.rpartition(".")[2]], body=body)

    def _master(self) -> bytes:
        lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
        groups = {"audio": 2, **({"surround": 6} if self.surround else {})}  # channels
        for group, channels in groups.items():
            for told in self.sounds:
                folder = told["name"] if group == "audio" else f"{told['name']}-{group}"
                lines.append(
                    f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{group}",NAME="{told["label"]}",LANGUAGE="{told["language"]}",'
                    f'DEFAULT={_flag(told["default"])},AUTOSELECT=YES,CHANNELS="{channels}",URI="{folder}/index.m3u8"'
                )
        lines.append(
            '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,'
            'URI="subtitles-0/index.m3u8"'
        )
        for group, channels in groups.items():
            attributes = 'CODECS="avc1.42c00d,mp4a.40.2",RESOLUTION=320x180,FRAME-RATE=24.000,SUBTITLES="subtitles"'
            lines.append(f'#EXT-X-STREAM-INF:BANDWIDTH={800_000 + 64_000 * channels},{attributes},AUDIO="{group}"')
            lines.append("720p/index.m3u8")
        return "\n".join([*lines, ""]).encode()

    def _part(self, track: str, name: str) -> bytes:
        data = (self.folder / track / name).read_bytes()
        if not name.endswith(".m3u8") or self.grown >= SECONDS // PART:
            return data
        head, *parts = data.decode().split("#EXTINF")
        head = head.replace("PLAYLIST-TYPE:VOD", "PLAYLIST-TYPE:EVENT\n#EXT-X-START:TIME-OFFSET=0")
        return "#EXTINF".join([head, *parts[: self.grown]]).encode()


def _flag(holds: object) -> str:
    return "YES" if holds else "NO"
