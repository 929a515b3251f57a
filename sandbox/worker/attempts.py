"""What the probe tries in a jail: an attempt raises OSError when it is stopped, and names the layer that must."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import socket
import stat
from collections.abc import Callable

from msgspec import Struct

_libc = ctypes.CDLL(None, use_errno=True)
_FAMILIES = range(1, 46)
_HIGHEST_CAPABILITY = 40
_PR_CAPBSET_READ, _PR_GET_NO_NEW_PRIVS = 23, 39
_CLONE_NEWUSER = 0x10000000
_NAMES_BYTES = 4 * 1024 * 1024
_SET_BY_US = {"LD_LIBRARY_PATH", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PWD"}
_RUNTIME = os.__file__


class Attempt(Struct, frozen=True):
    """`name` completes "a child could …"."""

    layer: str
    name: str
    act: Callable[[], object]


def _stopped_unless(condition: bool) -> None:
    if not condition:
        raise PermissionError


def _checked(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _reach_the_network() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))


def _write(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def _fill_the_disk() -> None:
    descriptor = os.open("/fd/probe", os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        for _ in range(8):
            os.write(descriptor, bytes(_NAMES_BYTES // 4))
    finally:
        os.close(descriptor)
        os.unlink("/fd/probe")  # noqa: PTH108 (the system call)


def _capabilities() -> None:
    _stopped_unless(any(_libc.prctl(_PR_CAPBSET_READ, n, 0, 0, 0) == 1 for n in range(_HIGHEST_CAPABILITY + 1)))


def _new_privileges() -> None:
    _stopped_unless(_libc.prctl(_PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)


def open_descriptors() -> dict[int, int]:
    """Descriptor → mode of each that is open."""
    found = {}
    for descriptor in range(1_024):
        try:
            found[descriptor] = os.fstat(descriptor).st_mode
        except OSError:
            continue
    return found


def _inherited() -> None:
    """Standard streams that lead nowhere and the socket to the broker are all that there may be."""
    _stopped_unless(len(open_descriptors()) > 4)


def _more_than_its_job() -> None:
    """In a child: the answer's file or pipe and the one socket, beside standard streams without another end."""
    modes = [mode for descriptor, mode in open_descriptors().items() if descriptor > 2]
    _stopped_unless(len(modes) > 2 or sum(stat.S_ISSOCK(mode) for mode in modes) > 1)


STARTED: tuple[Attempt, ...] = (
    Attempt("namespaces", "reach the network", _reach_the_network),
    Attempt("namespaces", "see a network interface", lambda: _stopped_unless(len(socket.if_nameindex()) > 1)),
    Attempt("namespaces", "see another process", lambda: os.kill(-1, 0)),
    Attempt("namespaces", "see the machine's name", lambda: _stopped_unless(os.uname().nodename != "jail")),
    Attempt("namespaces", "enter a new user namespace", lambda: _checked(_libc.unshare(_CLONE_NEWUSER))),
    *(
        Attempt("namespaces", f"see {path}", lambda path=path: os.stat(path))  # type: ignore[misc]  # noqa: PTH116
        for path in ("/proc", "/dev", "/sys", "/etc", "/tmp", "/home", "/root", "/var", "/run", "/usr")  # noqa: S108
    ),
    *(
        Attempt("read-only binds", f"write below {path}", lambda path=path: _write(f"{path}/probe"))  # type: ignore[misc]
        for path in ("", "/py", "/lib", "/app", "/site", "/app/sandbox", "/site/msgspec")
    ),
    Attempt("read-only binds", "change the runtime", lambda: os.open(_RUNTIME, os.O_WRONLY)),
    Attempt("read-only binds", "fill the disk", _fill_the_disk),
    Attempt("capabilities", "hold a capability", _capabilities),
    Attempt("capabilities", "gain privileges", _new_privileges),
    Attempt("capabilities", "become root", lambda: os.setuid(0)),
    Attempt("environment", "read the environment", lambda: _stopped_unless(bool(set(os.environ) - _SET_BY_US))),
    Attempt("descriptors", "use an inherited descriptor", _inherited),
)


def _tcp(act: Callable[[socket.socket], None]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        act(probe)


def _abstract() -> None:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.connect(b"\0probe")


def landlock_attempts(abi: int) -> list[Attempt]:
    """What Landlock alone must stop, as far as this kernel's can."""
    found = [
        Attempt("landlock", "read a file", lambda: os.open(_RUNTIME, os.O_RDONLY)),
        Attempt("landlock", "list a folder", lambda: os.listdir("/")),  # noqa: PTH208
        Attempt("landlock", "write a file", lambda: _write("/fd/probe")),
    ]
    if abi >= 4:
        found.append(Attempt("landlock", "listen on a port", lambda: _tcp(lambda s: s.bind(("127.0.0.1", 9_999)))))
    if abi >= 6:
        found.append(Attempt("landlock", "signal the warm process", lambda: os.kill(1, 0)))
        found.append(Attempt("landlock", "meet an abstract socket", _abstract))
    return found


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _executable_later() -> None:
    page = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    _checked(_libc.mprotect(ctypes.c_void_p(address), 4096, mmap.PROT_READ | mmap.PROT_EXEC))


def _write_where_it_shares() -> None:
    mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED)


def _refused(act: Callable[[], object]) -> None:
    """Stopped by the filter, not only because there is no such thing."""
    try:
        act()
    except PermissionError:
        raise
    except OSError:
        return


SECCOMP: tuple[Attempt, ...] = (
    *(
        Attempt("seccomp", f"open a socket of family {n}", lambda n=n: _refused(lambda: socket.socket(n, 2)))  # type: ignore[misc]
        for n in _FAMILIES
    ),
    Attempt("seccomp", "open a pair of sockets", socket.socketpair),
    Attempt("seccomp", "start a process", _fork),
    Attempt("seccomp", "run a program", lambda: _refused(lambda: os.execv("/none", ["none"]))),  # noqa: S606
    Attempt("seccomp", "signal the warm process", lambda: os.kill(1, signal.SIGCONT)),
    Attempt("seccomp", "make executable memory", lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_EXEC)),
    Attempt("seccomp", "make memory executable later", _executable_later),
    Attempt("seccomp", "share memory that can be written", _write_where_it_shares),
    Attempt("seccomp", "make a file in memory", lambda: os.close(os.memfd_create("probe"))),
    Attempt("seccomp", "enter a new user namespace", lambda: _checked(_libc.unshare(_CLONE_NEWUSER))),
    Attempt("seccomp", "remove a file", lambda: _refused(lambda: os.unlink("/fd/none"))),  # noqa: PTH108
)

_WARM_NEEDS = ("open a pair of sockets", "start a process")
WARM = tuple(Attempt("warm process", each.name, each.act) for each in SECCOMP if each.name not in _WARM_NEEDS)
"""What the list of the warm process must stop: all that a child's does but what makes children."""

CHILD: tuple[Attempt, ...] = (
    Attempt("environment", "read the environment", lambda: _stopped_unless(bool(os.environ))),
    Attempt("descriptors", "hold more than its job", _more_than_its_job),
    *SECCOMP,
    *landlock_attempts(0),
    Attempt("supervisor", "open another job's file", lambda: os.open("/fd/0.parquet", os.O_RDONLY)),
    Attempt("supervisor", "open its files for writing", lambda: os.open("/fd/0.parquet", os.O_RDWR)),
)
