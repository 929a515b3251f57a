"""Which of our lines and branches the tests run, as a pytest plugin: `pytest -p tools.covering`.

Slipcover puts probes into the bytecode that go once they were met; a tracer that Python calls at each line took
40 % of the whole suite's time on 3.11. Fails the run where less than `_LEAST_PERCENT` was run.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from slipcover import FileMatcher, ImportManager, Slipcover, merge_coverage

_ROOT = Path(__file__).resolve().parent.parent
_SOURCES = [str(_ROOT / name) for name in ("policies", "sandbox", "catalog", "marketplace", "clients/python/src")]
_LEAST_PERCENT = 85.0
_SHOWN_FILES = 12

_slipcover = Slipcover(branch=True)
_imports = ImportManager(_slipcover, FileMatcher(sources=_SOURCES))
_of_workers: list[dict[str, Any]] = []


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before conftest imports our modules: probes get only into those that are imported afterwards."""
    workers = getattr(early_config.known_args_namespace, "numprocesses", None)
    # Whoever only hands tests out to workers runs none, and they wait for it.
    if "PYTEST_XDIST_WORKER" in os.environ or not workers:
        _imports.__enter__()


def pytest_testnodedown(node: Any, error: object) -> None:
    told = getattr(node, "workeroutput", {}).get("coverage")
    if told is not None:
        _of_workers.append(json.loads(told))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["coverage"] = json.dumps(_slipcover.get_coverage())


def pytest_terminal_summary(terminalreporter: Any) -> None:
    every = [*_of_workers, _slipcover.get_coverage()]
    seen = [name for told in every for name in told["files"]]
    merged = Slipcover(branch=True, source=_SOURCES, omit=seen).get_coverage()  # files that nobody imported
    for told in every:
        merge_coverage(merged, told)
    files = sorted(merged["files"].items(), key=lambda file: file[1]["summary"]["percent_covered"])
    terminalreporter.section("coverage, lines and branches: the least covered files")
    for name, file in files[:_SHOWN_FILES]:
        terminalreporter.write_line(f"{file['summary']['percent_covered']:5.1f} %  {name}")
    percent = merged["summary"]["percent_covered"]
    terminalreporter.write_line(f"{percent:5.1f} %  of all, at least {_LEAST_PERCENT:g} %")
    if percent < _LEAST_PERCENT:
        terminalreporter.write_line("FAILED: too little of the code was run")
        terminalreporter._session.exitstatus = pytest.ExitCode.TESTS_FAILED
