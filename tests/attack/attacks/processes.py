"""Attacks on other processes, and on the rule that a child starts none."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct

from .raw import call

_libc = ctypes.CDLL(None, use_errno=True)


def fork() -> object:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return os.waitpid(pid, 0)


def spawn() -> object:
    return os.posix_spawn("/py/bin/python3", ["python3"], {})


def clone_without_sharing() -> object:
    pid = call("clone", signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    return os.waitpid(pid, 0)


def clone_thread_with_new_user_namespace() -> object:
    return call("clone", 0x00010000 | 0x10000000, 0, 0, 0, 0)


def clone3() -> object:
    pid = call("clone3", struct.pack("11Q", 0, 0, 0, 0, signal.SIGCHLD, *[0] * 6), 88)
    if pid == 0:
        os._exit(0)
    return os.waitpid(pid, 0)


def execute() -> object:
    return os.execv("/py/bin/python3", ["python3", "-c", "pass"])


def execute_by_descriptor() -> object:
    return call("execveat", 0, b"", 0, 0, 0x1000)


def trace_me() -> object:
    return call("ptrace", 0, 0, 0, 0)


def attach_to_the_parent() -> object:
    return call("ptrace", 16, os.getppid(), 0, 0)


def read_memory_of_the_parent() -> object:
    buffer = ctypes.create_string_buffer(8)
    local = struct.pack("PN", ctypes.addressof(buffer), 8)
    remote = struct.pack("PN", ctypes.addressof(buffer), 8)
    return call("process_vm_readv", os.getppid(), local, 1, remote, 1, 0)


def write_memory_of_the_parent() -> object:
    buffer = ctypes.create_string_buffer(8)
    both = struct.pack("PN", ctypes.addressof(buffer), 8)
    return call("process_vm_writev", os.getppid(), both, 1, both, 1, 0)


def descriptor_of_the_parent() -> object:
    return call("pidfd_open", os.getppid(), 0)


def steal_a_descriptor() -> object:
    return call("pidfd_getfd", 3, 0, 0)


def signal_the_parent() -> None:
    os.kill(os.getppid(), signal.SIGCONT)


def signal_everything() -> None:
    os.kill(-1, 0)


def signal_a_thread_of_the_parent() -> object:
    return call("tgkill", os.getppid(), os.getppid(), 0)


def limits_of_the_parent() -> object:
    return resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)


def raise_own_limits() -> object:
    return call("prlimit64", 0, resource.RLIMIT_CORE, bytes(16), None)


def new_session() -> None:
    os.setpgid(0, 0)


def change_priority() -> None:
    os.setpriority(os.PRIO_PROCESS, os.getppid(), 0)


def choose_processors() -> None:
    os.sched_setaffinity(0, {0})


def undumpable_again() -> object:
    if _libc.prctl(4, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    return _libc.prctl(4, 1, 0, 0, 0)
