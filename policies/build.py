"""Compile the policy with OPA: the same sources and the same OPA give the same bytes."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Literal

import msgspec

from policies.module import BUILT, WASM, Built
from policies.sources import ENTRYPOINTS, FOLDER, data_files, revision, revision_of, rules

Target = Literal["wasm", "rego"]


class BuildFailed(Exception):
    """OPA refused; the message is what it said."""


def build(opa: Path) -> Built:
    """Write policy.wasm and its stamp. Raises BuildFailed."""
    module = wasm(opa)
    built = Built(revision=revision(), sha256=hashlib.sha256(module).hexdigest())
    (FOLDER / WASM).write_bytes(module)
    (FOLDER / BUILT).write_bytes(msgspec.json.format(msgspec.json.encode(built), indent=2) + b"\n")
    return built


def wasm(opa: Path, source: Path | None = None) -> bytes:
    """The module that these sources make, or those in another folder. Raises BuildFailed."""
    with tempfile.TemporaryDirectory() as folder:
        path = bundle(opa, Path(folder) / "bundle.tar.gz", target="wasm", source=source)
        with tarfile.open(path) as archive:
            member = archive.extractfile("/policy.wasm")
            if member is None:
                raise BuildFailed("no policy.wasm in the bundle")
            return member.read()


def bundle(opa: Path, path: Path, *, target: Target = "rego", source: Path | None = None) -> Path:
    """Write the bundle that an OPA server loads, with our revision in its manifest. Raises BuildFailed."""
    named = [argument for entrypoint in ENTRYPOINTS for argument in ("-e", entrypoint)]
    command = [str(opa), "build", "-t", target, *named, "-r", revision_of(source or FOLDER), "-o", str(path)]
    sources = [p.relative_to(source or FOLDER).as_posix() for p in (*rules(source), *data_files(source))]
    done = subprocess.run(
        [*command, *sources], cwd=source or FOLDER, capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode:
        raise BuildFailed(done.stderr or done.stdout)
    return path
