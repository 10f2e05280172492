"""`make test-files DIR=…`: any folder of videos through the product, and what came out beside the sources.

The judge shares no code with the planner: ffmpeg decodes each source once, in the order of the file, and the design
says what is right. Without folders: the media, the files from the field, a clip of every codec.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from fnmatch import fnmatchcase
from pathlib import Path

from tests.files.explained import Explanation, explanations
from tests.files.printing import lines, summary
from tests.files.running import try_file
from tests.support.codec_clips import CASES, write_clip
from tests.support.fenced import fence_quietly
from tests.support.media import media_root

PROCESSES = 2
QUIET = logging.ERROR  # the report has a line for each file
NO_VIDEOS = frozenset({".py", ".md", ".tsv", ".txt", ".json", ".toml"})


def main() -> int:
    """Run over all files; return 0 if all that is unlike is explained."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="rungs-codecs-") as made:
        folders = options.folders or _standard(Path(made))
        files = [path for folder in folders for path in _videos(folder) if fnmatchcase(path.name, options.only)]
        if not files:
            print("no files there")
            return 1
        return _run(files, explanations())


def _run(files: Sequence[Path], known: tuple[Explanation, ...]) -> int:
    tried = []
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # the processes are the parallel part; threads would wait for each other
    # A process that goes on alone after this one has died would take the cores from everybody.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=fence_quietly, initargs=(QUIET,)) as pool:
        try:
            for done in as_completed([pool.submit(try_file, path) for path in files]):
                tried.append(done.result())
                print("\n".join(lines(tried[-1], known)), flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()
            raise
    text, unlike = summary(tried, known)
    print(text)
    return 1 if unlike else 0


def _standard(made: Path) -> list[Path]:
    for name in CASES:
        write_clip(name, made)
    folders = [media_root() / "happy", media_root().parent / "field", made]
    for folder in folders:
        if not folder.is_dir():
            print(f"MISSING: {folder} is not there", file=sys.stderr)
    return folders


def _videos(folder: Path) -> Iterator[Path]:
    """Yield the folder's files that may be videos, or the file itself."""
    if folder.is_file():
        yield folder
    elif folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if path.is_file() and path.suffix not in NO_VIDEOS)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="folders of videos, or single ones")
    parser.add_argument("--only", default="*", help="a pattern of names")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
