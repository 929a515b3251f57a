"""The Go program beside this file, built once for these very sources and kept where OPA is kept."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from tools.fetch import folder, run, toolchain

HERE = Path(__file__).parent
SOURCES = ("main.go", "go.mod", "go.sum")


def judge() -> Path:
    """The program. Raises FetchFailed where there is neither a build of it nor a Go to make one with."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in SOURCES)).hexdigest()
    target = folder() / f"vectors-{digest[:16]}"
    if not os.access(target, os.X_OK):
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch, toolchain(Path(scratch)) as go:
            source = Path(scratch) / "source"
            source.mkdir()
            for name in SOURCES:
                shutil.copy(HERE / name, source)
            run([go, "build", "-mod=readonly", "-trimpath", "-o", str(Path(scratch) / "judge"), "."], source)
            (Path(scratch) / "judge").replace(target)
    return target
