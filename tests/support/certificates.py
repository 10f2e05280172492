"""Certificates for the tests' own servers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.support.missing import require


def make_certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """Write a certificate for these names (`DNS:...`, `IP:...`), signed by itself; return its file and its key's."""
    if shutil.which("openssl") is None:
        require("openssl", "install Debian's package openssl")
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
    whose = ["-subj", "/CN=rungs-tests", "-addext", f"subjectAltName={','.join(names)}"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", "-x509", *kind, *whose, *files], check=True, capture_output=True)
    return certificate, key
