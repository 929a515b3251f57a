"""Every way out that a child could try by a system call is stopped; outside the jail the same attempts work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.isolation.pool import Pool
from tests.attack.attacks import files, kernel, memory, network, processes
from tests.attack.conftest import Attack, names

STOPPED = {"stopped EPERM", "stopped EACCES", "stopped ENOSYS", "stopped EBADF", "stopped EMFILE"}
HARMLESS_OUTSIDE = [
    *names(network, memory),
    "processes.fork", "processes.clone_without_sharing", "processes.clone3", "processes.descriptor_of_the_parent",
    "processes.limits_of_the_parent", "processes.choose_processors", "processes.signal_a_thread_of_the_parent",
    "kernel.file_in_memory", "kernel.read_the_key_ring", "kernel.add_a_key", "kernel.shared_memory_segment",
    "kernel.semaphores", "kernel.watch_files", "kernel.personality_without_randomness", "files.passwords",
    "files.standard_library", "files.own_source", "files.own_memory_map", "files.null_device",
    "files.list_a_folder", "files.import_a_module",
]  # fmt: skip


@pytest.mark.parametrize("name", names(network, processes, kernel, files, memory))
async def test_a_child_is_stopped(name: str, attack: Attack) -> None:
    assert await attack(name) in STOPPED


async def test_no_call_ends_the_warm_process_that_answers_it(attack: Attack, attacked: Pool) -> None:
    jails = attacked.pids()
    for name in ("name_in_the_last_byte_of_memory", "own_file_without_room_for_it", "name_nowhere"):
        assert await attack(f"files.{name}") in STOPPED
    assert attacked.pids() == jails


def test_the_same_attacks_work_outside_the_jail() -> None:
    """Else the test above could not fail."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.attack.attacks.entry"],
        input="\n".join(HARMLESS_OUTSIDE).encode(),
        capture_output=True,
        cwd=Path(__file__).parents[2],
        check=True,
        timeout=60,
    )
    results = dict(line.split(" ", 1) for line in done.stdout.decode().splitlines())
    through = [name for name, result in results.items() if result.startswith("through")]
    assert len(results) == len(HARMLESS_OUTSIDE)
    assert len(through) >= len(HARMLESS_OUTSIDE) // 2, results
