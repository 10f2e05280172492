"""Captions as a program that streams live wrote them into its pictures; the file is one of ../shared/media."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from storage.model.job import JobState
from storage.services import Services
from storage.settings import Settings
from tests.integration.workers.test_picture_captions import told_by_ffmpeg
from tests.integration.workers.test_timed_text import assert_said, cues
from tests.support.driving import drive
from tests.support.results import made

LENGTH = 2000  # milliseconds
pytestmark = pytest.mark.media


def test_captions_of_a_live_stream(own_services: Services, settings: Settings, media_dir: Path, tmp_path: Path) -> None:
    """Pages in two pictures a second, each command once; those pictures have no times. ffmpeg reads the same."""
    path = media_dir / "happy" / "game_1080p60_ts_missing_dts.ts"
    job = drive(own_services, settings, path)
    assert (job.state, job.warnings) == (JobState.READY, ())
    # It takes an apostrophe for the quotation mark that opens.
    told = [replace(one, text=one.text.replace("\u2018", "'")) for one in told_by_ffmpeg(path, "first", tmp_path)]
    found = [replace(one, top=False) for one in cues(made(own_services, job, "subtitles/cc1.vtt"))]
    assert len(found) == 4
    assert_said(tuple(found[:3]), tuple(told[:3]))
    assert (found[3].text, found[3].end) == (told[3].text, LENGTH)  # to the end of the pictures
