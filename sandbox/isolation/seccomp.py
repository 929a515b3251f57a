"""The two seccomp programs of a jail, compiled by libseccomp for this machine (x86_64 and aarch64).

`open_program` hands every `openat` to the warm process, which answers with one of the job's own descriptors.
`allow_program` lets through what a running engine needs and gives EPERM (engines probe, so no kill) to all else.
The kernel takes the stricter answer of the two.
"""

from __future__ import annotations

import errno
import functools
import os
from importlib import import_module
from typing import Any

_ALLOWED = (
    "read", "write", "close", "fstat", "stat", "newfstatat", "lseek", "munmap", "brk", "pread64", "madvise",
    "futex", "getrandom",
    "recvmsg", "recvfrom", "sendto", "exit", "exit_group", "rt_sigprocmask",
    "rt_sigreturn", "rt_sigaction", "sched_yield", "set_robust_list", "rseq", "gettid", "getpid",
    "sched_getaffinity", "restart_syscall", "clock_nanosleep", "clock_gettime", "sigaltstack", "mremap", "openat",
)  # fmt: skip
_CLONE_THREAD = 0x00010000
_CLONE_NEW_NAMESPACES = 0x7E020080
_PROT_EXEC = 4
_FCNTL_COMMANDS = (1, 2, 3, 1030)
"""F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC."""
_PRCTL_SET_NAME, _PRCTL_SET_VMA = 15, 0x53564D41


@functools.cache
def open_program() -> bytes:
    """The program that lets a supervisor answer `openat`; raises RuntimeError without libseccomp."""
    seccomp = _library()
    program = seccomp.SyscallFilter(seccomp.ALLOW)
    program.add_rule(seccomp.NOTIFY, "openat")
    return _compiled(program)


@functools.cache
def allow_program() -> bytes:
    """The allow-list; raises RuntimeError without libseccomp."""
    seccomp = _library()
    program = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    for name in _ALLOWED:
        program.add_rule(seccomp.ALLOW, name)
    argument = seccomp.Arg
    for protected in ("mmap", "mprotect"):
        program.add_rule(seccomp.ALLOW, protected, argument(2, seccomp.MASKED_EQ, _PROT_EXEC, 0))
    program.add_rule(
        seccomp.ALLOW,
        "clone",
        argument(0, seccomp.MASKED_EQ, _CLONE_THREAD | _CLONE_NEW_NAMESPACES, _CLONE_THREAD),
    )
    # glibc falls back to clone, whose flags a filter can read, when clone3 is not there.
    program.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    for command in _FCNTL_COMMANDS:
        program.add_rule(seccomp.ALLOW, "fcntl", argument(1, seccomp.EQ, command))
    for option in (_PRCTL_SET_NAME, _PRCTL_SET_VMA):
        program.add_rule(seccomp.ALLOW, "prctl", argument(0, seccomp.EQ, option))
    return _compiled(program)


def _library() -> Any:
    return import_module("pyseccomp")


def _compiled(program: Any) -> bytes:
    descriptor = os.memfd_create("seccomp")
    with os.fdopen(descriptor, "w+b") as file:
        program.export_bpf(file)
        file.seek(0)
        return file.read()
