"""The seccomp programs of a jail, compiled by libseccomp (x86_64 and aarch64; each refuses every other entry).

`warm_program` binds the warm process, and with it every child, to `allowed.WARM_RULES`.
`open_program` hands every `openat` to the warm process, which answers with one of the job's own descriptors.
`allow_program` lets through `allowed.RULES` and gives EPERM (engines probe, so no kill) to all else.
The kernel takes the stricter answer of the two. A call by another architecture's numbers (32-bit, x32) ends the
child.
"""

from __future__ import annotations

import errno
import functools
import os
import platform
from importlib import import_module
from typing import Any

from sandbox.isolation.allowed import RULES, WARM_RULES, Rule


@functools.cache
def open_program(machine: str = platform.machine()) -> bytes:
    """The program that lets a supervisor answer `openat`; raises RuntimeError without libseccomp."""
    seccomp = _library()
    program = _for_machine(seccomp.ALLOW, machine)
    program.add_rule(seccomp.NOTIFY, "openat")
    return _compiled(program)


@functools.cache
def allow_program(machine: str = platform.machine()) -> bytes:
    """The allow-list of children; raises RuntimeError without libseccomp."""
    return compiled_rules(RULES, machine)


@functools.cache
def warm_program(machine: str = platform.machine()) -> bytes:
    """The allow-list of the warm process; raises RuntimeError without libseccomp."""
    return compiled_rules(WARM_RULES, machine)


def compiled_rules(rules: tuple[Rule, ...], machine: str = platform.machine()) -> bytes:
    """A program that lets these through and nothing else."""
    seccomp = _library()
    program = _for_machine(seccomp.ERRNO(errno.EPERM), machine)
    for rule in rules:
        # A name that a machine does not have is a number that no call has.
        if seccomp.resolve_syscall(_architecture(machine), rule.call) >= 0:
            tests = (seccomp.Arg(t.index, seccomp.MASKED_EQ, t.mask, t.value) for t in rule.when)
            program.add_rule(seccomp.ALLOW, rule.call, *tests)
    # glibc falls back to clone, whose flags a filter can read, when clone3 is not there.
    program.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    return _compiled(program)


def _for_machine(default: int, machine: str) -> Any:
    seccomp = _library()
    program = seccomp.SyscallFilter(default)
    program.set_attr(seccomp.Attr.ACT_BADARCH, seccomp.KILL_PROCESS)
    if _architecture(machine) != seccomp.system_arch():
        program.add_arch(_architecture(machine))
        program.remove_arch(seccomp.system_arch())
    return program


def _architecture(machine: str) -> int:
    architectures = _library().Arch
    found: int = {"x86_64": architectures.X86_64, "aarch64": architectures.AARCH64}[machine]
    return found


def _library() -> Any:
    return import_module("pyseccomp")


def _compiled(program: Any) -> bytes:
    descriptor = os.memfd_create("seccomp")
    with os.fdopen(descriptor, "w+b") as file:
        program.export_bpf(file)
        file.seek(0)
        return file.read()
