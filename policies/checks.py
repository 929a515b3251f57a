"""What the policy's sources must pass before they are used. Each check gives what is wrong, in OPA's words."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from policies.build import wasm
from policies.module import WASM
from policies.sources import FOLDER, data_files, packages

TIMEOUT_S = 120
PATIENT = ("--timeout", "60s")
"""One test walks a table of situations: on a busy machine longer than the five seconds that OPA gives it."""


class Checked(Struct, frozen=True, kw_only=True):
    """One check. `said`: empty when it passed."""

    name: str
    said: str


def all_checks(opa: Path, regal: Path | None) -> Iterator[Checked]:
    """Form, types, tests with every line covered, lint (None: no Regal here), and the module's own bytes."""
    yield Checked(name="opa fmt", said=_said([opa, "fmt", "--list", *packages()]))
    yield Checked(name="opa check --strict", said=_said([opa, "check", "--strict", *packages()]))
    yield Checked(name="opa test", said=tests(opa))
    yield Checked(name="opa test --coverage", said=coverage(opa))
    yield Checked(name="policy.wasm", said=_same_module(opa))
    lint = "not found: python tools/fetch.py regal" if regal is None else _lint(regal)
    yield Checked(name="regal lint", said=lint)


def tests(opa: Path) -> str:
    """What failed, or nothing."""
    return _said([opa, "test", *PATIENT, *packages(), *_data()], accept=lambda out: out.startswith("PASS"))


def coverage(opa: Path) -> str:
    """The lines that no test reaches, or nothing."""
    done = _run([opa, "test", *PATIENT, "--coverage", *packages(), *_data()])
    report = msgspec.json.decode(done.stdout or b"{}", type=dict[str, object])
    if report.get("coverage") == 100 and not done.returncode:
        return ""
    return f"coverage {report.get('coverage')} %, wanted 100 %: {report.get('files')}"


def _data() -> list[str]:
    return [path.relative_to(FOLDER).as_posix() for path in data_files()]


def _same_module(opa: Path) -> str:
    same = wasm(opa) == (FOLDER / WASM).read_bytes()
    return "" if same else "policy.wasm is not what the sources make: sandulieu policies build"


def _lint(regal: Path) -> str:
    config = FOLDER / ".regal" / "config.yaml"
    return _said(
        [regal, "lint", "--config-file", str(config), *packages()], accept=lambda out: "No violations" in out
    )


def _said(command: Sequence[Path | str], *, accept: Callable[[str], bool] = lambda out: not out) -> str:
    done = _run(command)
    out = (done.stdout + done.stderr).decode(errors="replace").strip()
    return "" if done.returncode == 0 and accept(out) else out or f"exit {done.returncode}"


def _run(command: Sequence[Path | str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, cwd=FOLDER, capture_output=True, check=False, timeout=TIMEOUT_S)
