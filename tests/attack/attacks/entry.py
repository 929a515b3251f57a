"""Stands where the engine stands in the child of a jail: runs the attack that the "query" names.

Bound into a jail by tests only. An attack is a function without arguments that raises OSError when it was stopped
and gives a word when it went through.
"""

from __future__ import annotations

import errno
import importlib
import os
from collections.abc import Callable
from typing import BinaryIO

import msgspec

from sandbox.worker.wire import Query

from . import answers, encodings, exhaustion, files, kernel, memory, network, pickled, processes, staying

MODULES = (network, processes, kernel, files, memory)
"""Imported while files can still be opened."""


def run(payload: bytes, inputs: list[int], output: BinaryIO) -> bytes:
    """Run "module.function" and answer with one cell: what became of it. A lie answers for itself; several names
    give a line each."""
    name = msgspec.msgpack.decode(payload, type=Query).sql
    if " " in name:
        return answers.cell(output, "\n".join(f"{each} {outcome(_attack(each))}" for each in name.split()))
    module, function = name.split(".")
    files.INPUTS[:] = inputs
    lies = {m.__name__.rpartition(".")[2]: m for m in (answers, encodings, exhaustion, pickled, staying)}
    if module in lies:
        lie: Callable[[BinaryIO], bytes] = getattr(lies[module], function)
        return lie(output)
    return answers.cell(output, outcome(_attack(name)))


def _attack(name: str) -> Callable[[], object]:
    module, function = name.split(".")
    found: Callable[[], object] = getattr(importlib.import_module(f"{__package__}.{module}"), function)
    return found


def outcome(attack: Callable[[], object]) -> str:
    """`stopped ERRNO`, or `through` and what it gave."""
    try:
        return f"through {attack()}"
    except OSError as error:
        return f"stopped {errno.errorcode.get(error.errno or 0, '?')}"


if __name__ == "__main__":
    # Outside any jail: which of the attacks named on standard input would go through?
    for line in os.read(0, 1 << 16).decode().split():
        print(line, outcome(_attack(line)), flush=True)
