"""Runs in a jail of tests: a real job behind one more seccomp program, which takes something away."""

from __future__ import annotations

import sys
from typing import BinaryIO

import msgspec
from msgspec import Struct

from catalog.jailed import anonymise, ingest, measure, records, scan
from sandbox.worker import query, syscalls

ENTRIES = (query, anonymise, ingest, measure, records, scan)
warm = query.warm


class Trial(Struct, frozen=True, array_like=True):
    """`program`: the further filter, empty for none; `entry`: the real job."""

    program: bytes
    entry: str
    payload: bytes


def run(payload: bytes, inputs: list[int], output: BinaryIO) -> bytes:
    """Lose what the program takes away, then do the job."""
    trial = msgspec.msgpack.decode(payload, type=Trial)
    module, function = trial.entry.split(":")
    if trial.program:
        syscalls.seccomp_allow_list(trial.program)
    reply: bytes = getattr(sys.modules[module], function)(trial.payload, inputs, output)
    return reply
