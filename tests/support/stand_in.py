"""A program in ffmpeg's place: it does ffmpeg's work, and then leaves something else under the name of one output."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

# It runs without the site's packages, as it is started for each command. What ffmpeg wrote lies at `made` first.
_PROGRAM = """#!{python} -IS
import fnmatch, json, os, subprocess, sys
told = json.load(open({told!r}))
names = [argument for argument in sys.argv[1:] if fnmatch.fnmatch(os.path.basename(argument), told["name"])]
chosen = bool(names)
made = [told["made"] + str(number) + os.path.splitext(name)[1] for number, name in enumerate(names)]
arguments = [made[names.index(argument)] if argument in names else argument for argument in sys.argv[1:]]
code = 0 if chosen and told["instead"] else subprocess.call([{ffmpeg!r}, *arguments])
for target, one in zip(names, made):
    known = {{"target": target.replace("%d", "1"), "made": one.replace("%d", "1"), "secret": told["secret"], "os": os}}
    exec(told["leave"], known)
sys.exit(code)
"""

# What is left at `target`, each as lines of a program that knows `made` and `secret`.
_CHANGED = """
data = open(made, "rb").read()
open(target, "wb").write({data})
"""
LEFT = {
    "link": "os.symlink(secret, target)",
    "link to what was made": "os.symlink(made, target)",
    "hard link": "os.link(secret, target)",
    "FIFO": "os.mkfifo(target)",
    "folder": "os.mkdir(target)",
    "device": "os.mknod(target, 0o20600, os.makedev(1, 3))",
    "nothing": "",
    "empty": "open(target, 'wb')",
    "text": "open(target, 'wb').write(b'no MP4, only text')",
    "secret itself": "open(target, 'wb').write(open(secret, 'rb').read())",
    "cut off": _CHANGED.format(data="data[:-9]"),
    "something behind it": _CHANGED.format(data="data + (8 + 4000).to_bytes(4, 'big') + b'free' + bytes(4000)"),
    "too large": _CHANGED.format(data="data") + "os.truncate(target, 2 ** 32)\n",
}
# Of MP4s alone.
LEFT_OF_MP4 = {
    "reference to another file": _CHANGED.format(data="data.replace(b'url ' + b'\\0\\0\\0\\1', b'url ' + bytes(4), 1)"),
    "unknown box": _CHANGED.format(data="data.replace(b'udta', b'uuid', 1)"),
    "unknown codec": _CHANGED.format(data="data.replace(b'avc1\\0', b'hvc1\\0', 1).replace(b'mp4a\\0', b'Opus\\0', 1)"),
}


class StandIn:
    """Stands in ffmpeg's place on PATH for the time of the context that pytest's `monkeypatch` is of."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        found = shutil.which("ffmpeg")
        assert found is not None
        self.secret = folder / "secret"
        self.secret.write_bytes(b"what nobody may see\n" * 50)
        self._folder = folder
        program = folder / "bin" / "ffmpeg"
        program.parent.mkdir()
        told = str(folder / "told.json")
        program.write_text(_PROGRAM.format(python=sys.executable, told=told, ffmpeg=found))
        program.chmod(0o755)
        self.leave("nothing", "no output")
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    def leave(self, kind: str, name: str, *, alone: bool = False) -> None:
        """From now on leave this kind under names like this; if `alone`, ffmpeg works only where that is needed."""
        leave = (LEFT | LEFT_OF_MP4)[kind]
        instead = alone and "made" not in leave
        told = {"name": name, "leave": leave, "instead": instead, "secret": str(self.secret)}
        (self._folder / "told.json").write_text(json.dumps(told | {"made": str(self._folder / "made")}))
