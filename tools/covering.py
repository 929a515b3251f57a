"""Which of our lines and branches the tests run, as a pytest plugin: `pytest -p tools.covering`.

Slipcover puts probes into the bytecode that go once they were met; a tracer that Python calls at each line took
40 % of the whole suite's time on 3.11. Fails the run where less than `_LEAST_PERCENT` was run.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from slipcover import FileMatcher, Slipcover
from slipcover.importer import SlipcoverLoader, SlipcoverMetaPathFinder

from tools.marked import mark_all, marked

_ROOT = Path(__file__).resolve().parent.parent
_SOURCES = [str(_ROOT / name) for name in ("policies", "sandbox", "catalog", "marketplace", "clients/python/src")]
_LEAST_PERCENT = 85.0
_SHOWN_FILES = 12
_MEETINGS = 100_000
"""Of a probe until it is taken away: each costs some 20 ns, and that a look through all code, half a second."""

_slipcover = Slipcover(branch=True, d_miss_threshold=_MEETINGS)


class _Loader(SlipcoverLoader):
    """Puts probes into what is kept of a module."""

    def exec_module(self, module: ModuleType) -> None:
        code = marked(self.origin.resolve()).code
        _slipcover.register_module(module)
        # As if it lay within other code: whoever reports counts its lines once, for all workers.
        probed = _slipcover.instrument(code, code)
        if sys.version_info < (3, 12):
            _slipcover.instrumented[code.co_filename].add(probed)
        exec(probed, module.__dict__)  # noqa: S102


class _Finder(SlipcoverMetaPathFinder):
    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        spec: ModuleSpec | None = super().find_spec(fullname, path, target)
        found = spec and getattr(spec.loader, "orig_loader", None)
        if spec is not None and isinstance(found, SourceFileLoader):
            spec.loader = _Loader(_slipcover, found, spec.origin)
        return spec


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before conftest imports our modules: probes get only into those that are imported afterwards."""
    workers = getattr(early_config.known_args_namespace, "numprocesses", None)
    if workers and "PYTEST_XDIST_WORKER" not in os.environ:
        mark_all(_files())  # it runs no test itself, and its workers come in a moment
    else:
        sys.meta_path.insert(0, _Finder(_slipcover, FileMatcher(sources=_SOURCES)))


def pytest_testnodedown(node: Any, error: object) -> None:
    told = getattr(node, "workeroutput", {}).get("coverage", "{}")
    for name, seen in json.loads(told).items():
        _slipcover.all_seen[name].update(tuple(one) if isinstance(one, list) else one for one in seen)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        _slipcover.get_coverage()  # takes in what was seen last
        seen = {name: list(of_file) for name, of_file in _slipcover.all_seen.items()}
        session.config.workeroutput["coverage"] = json.dumps(seen)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for file in _files():
        whole = marked(file)
        _slipcover.code_lines[str(file)], _slipcover.code_branches[str(file)] = (
            set(whole.lines),
            set(whole.branches),
        )
    covered = _slipcover.get_coverage()
    files = sorted(covered["files"].items(), key=lambda file: file[1]["summary"]["percent_covered"])
    terminalreporter.section("coverage, lines and branches: the least covered files")
    for name, told in files[:_SHOWN_FILES]:
        terminalreporter.write_line(f"{told['summary']['percent_covered']:5.1f} %  {name}")
    percent = covered["summary"]["percent_covered"]
    terminalreporter.write_line(f"{percent:5.1f} %  of all, at least {_LEAST_PERCENT:g} %")
    if percent < _LEAST_PERCENT:
        terminalreporter.write_line("FAILED: too little of the code was run")
        terminalreporter._session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _files() -> list[Path]:
    return [file for folder in _SOURCES for file in sorted(Path(folder).rglob("*.py"))]
