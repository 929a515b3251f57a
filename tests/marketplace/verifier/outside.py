"""docs/verify.py from outside: each run a process of its own, in which nothing of ours can be imported."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parents[3] / "docs" / "verify.py"
ALONE = """
import sys
class NoneOfOurs:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("marketplace", "catalog", "sandbox", "policies", "msgspec", "sqlalchemy"):
            raise ImportError(f"{name} is not there")
sys.meta_path.insert(0, NoneOfOurs())
"""
ONCE = f"""{ALONE}
import runpy
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
FORKED = f"""{ALONE}
import json, os, runpy
main = runpy.run_path(sys.argv[1], run_name="verify")["main"]
for line in sys.stdin:
    arguments, out, err = json.loads(line)
    child = os.fork()
    if child == 0:
        for number, path in ((1, out), (2, err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        sys.exit(main(arguments))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Imports once what takes long, and forks for each run."""


@dataclass(frozen=True)
class Said:
    """What one run said, and how it ended."""

    exit_code: int
    out: str
    err: str

    @property
    def codes(self) -> list[str]:
        """Of what does not hold; the run was asked for JSON."""
        return [check["code"] for check in self.document["checks"] if not check["ok"]]

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


def run(*arguments: object) -> Said:
    """From the start, as a person's shell would."""
    command = [sys.executable, "-I", "-c", ONCE, str(SCRIPT), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


def run_all(runs: Sequence[Sequence[object]]) -> list[Said]:
    """One after another."""
    with _forking() as process, tempfile.TemporaryDirectory() as folder:
        return [_forked(process, Path(folder), [str(each) for each in arguments]) for arguments in runs]


@contextmanager
def _forking() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-I", "-c", FORKED, str(SCRIPT)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


def _forked(process: subprocess.Popen[str], folder: Path, arguments: Sequence[str]) -> Said:
    assert process.stdin is not None
    assert process.stdout is not None
    out, err = folder / "out", folder / "err"
    print(json.dumps([arguments, str(out), str(err)]), file=process.stdin, flush=True)
    return Said(int(process.stdout.readline()), out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))
