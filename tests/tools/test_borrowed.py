"""What is borrowed: a fresh child behind every layer for each job, and never again a jail of unknown state."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from sandbox.isolation.jail import Jail
from sandbox.isolation.start import Shape
from tests.attack.conftest import require_layers
from tests.borrowed import open_jail

MEMORY_BYTES = 300 << 20
"""A shape that no other test asks for."""
SHAPE = Shape(entry="sandbox.worker.probe:attempt", threads=1, memory_bytes=MEMORY_BYTES, single=True)
BORROWS = """
import asyncio, time
from tests.tools.test_borrowed import SHAPE, open_jail
jail = asyncio.run(open_jail(SHAPE))
print(jail.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def layers() -> None:
    require_layers()


def _gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


async def _went_through(jail: Jail) -> list[tuple[str, str]]:
    output = os.memfd_create("output")
    outcome = await jail.run(b"", output=output, inputs=[], deadline_ms=60_000, memory_bytes=MEMORY_BYTES)
    os.close(output)
    assert outcome.reply is not None
    return msgspec.msgpack.decode(outcome.body, type=list[tuple[str, str]])


async def test_the_same_jail_serves_again_with_another_child_behind_every_layer() -> None:
    used = []
    for _ in range(2):
        jail = await open_jail(SHAPE)
        assert jail._waiting is not None
        used.append((jail.pid, jail._waiting.pid))
        assert await _went_through(jail) == []
        jail.close()
    assert used[0][0] == used[1][0]
    assert used[0][1] != used[1][1]


async def test_a_jail_whose_job_had_no_reply_is_ended_and_not_lent_again() -> None:
    jail = await open_jail(SHAPE)
    jail.kill()
    jail.close()
    again = await open_jail(SHAPE)
    assert again.pid != jail.pid
    assert _gone(jail.pid)
    again.close()


def test_a_jail_whose_borrower_is_killed_is_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", BORROWS], stdout=subprocess.PIPE, text=True) as borrower:
        assert borrower.stdout
        jail = os.pidfd_open(int(borrower.stdout.readline()))
        borrower.kill()
    assert select.select([jail], [], [], 60)[0] == [jail]
    os.close(jail)
