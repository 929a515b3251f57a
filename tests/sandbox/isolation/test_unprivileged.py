"""The jail without root and without a control group: the same walls, memory held by other means."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.isolation import cgroup
from sandbox.job import SandboxFailed
from tests.attack.conftest import require_layers
from tests.sandbox.isolation.test_oneshot import run

ROOT = Path(__file__).parents[3]
AS_SOMEBODY = f"""
import asyncio, os, sys
sys.path.insert(0, {str(ROOT)!r})
from sandbox.isolation.pool import Pool
from sandbox.job import Limits, OutputColumn
async def main():
    pool = Pool(jails=1, threads=2, memory_bytes=256 << 20, queue=1)
    await pool.start()
    result = await pool.execute("SELECT 42 AS a", [], (OutputColumn(name="a", type="INTEGER"),), Limits())
    print(os.getuid(), result.rows)
    await pool.close()
asyncio.run(main())
"""
# Binds Python below a folder that only root may enter to the same place in a namespace where anybody may.
REACHABLE = """
mount --make-rprivate / && mkdir -p "$3" && mount --bind "$1" "$3" && mount -t tmpfs -o mode=755 tmpfs "$2" \
&& mkdir -p "$1" && mount --move "$3" "$1" && shift 3 && exec "$@"
"""


@pytest.mark.parametrize("job", ["fill_memory", "one_large_piece"])
def test_without_a_control_group_memory_is_still_bounded(job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    require_layers()
    monkeypatch.setattr(cgroup, "create", lambda **_: None)
    with pytest.raises(SandboxFailed) as caught:
        run(job)
    assert caught.value.code == "sandbox.memory"


def test_the_jail_works_for_a_user_who_is_not_root(tmp_path: Path) -> None:
    require_layers()
    command = [sys.executable, "-c", AS_SOMEBODY]
    if os.getuid() == 0:
        if shutil.which("setpriv") is None or shutil.which("unshare") is None:
            pytest.skip("util-linux is needed to become somebody else")
        command = _as_nobody(command, tmp_path)
    done = subprocess.run(command, cwd="/", capture_output=True, check=False, timeout=60, env={"HOME": "/tmp"})
    assert done.stdout.split()[1:] == [b"1"], done.stderr.decode()
    assert done.stdout.split()[0] != b"0"


def _as_nobody(command: list[str], folder: Path) -> list[str]:
    drop = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", *command]
    prefix = Path(sys.base_prefix)
    closed = [parent for parent in reversed(prefix.parents) if not parent.stat().st_mode & 1]
    if not closed:
        return drop
    return [
        "unshare",
        "-m",
        "sh",
        "-c",
        REACHABLE,
        "sh",
        str(prefix),
        str(closed[0]),
        str(folder / "python"),
        *drop,
    ]
