"""PID 1 of a jail: imports and warms the engine once, then keeps one locked child forked ahead."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
from typing import NoReturn

import msgspec

from sandbox.worker import child, opener, syscalls
from sandbox.worker.wire import DESCRIPTORS, MESSAGE_BYTES, Boot, Ended, Files, Ready


def main(control_descriptor: int) -> None:
    """Serve the broker on this descriptor until it hangs up (or one child, if the boot message says so)."""
    control = socket.socket(fileno=control_descriptor)
    boot = msgspec.msgpack.decode(control.recv(1 << 16), type=Boot)
    module_name, function = boot.entry.split(":")
    module = importlib.import_module(module_name)
    main_function: child.Main = getattr(module, function)
    # What a module may have: `warm` runs once here and may give a descriptor that children open as SAMPLE, and
    # REHEARSAL is the payload of a job that a child does for nobody, if there is time.
    sample: int | None = getattr(module, "warm", lambda _boot: None)(boot)
    rehearsal: bytes = getattr(module, "REHEARSAL", b"")
    os.environ.clear()
    opener.write_names()
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)
    syscalls.landlock_everything()
    gc.collect()
    gc.freeze()
    gc.disable()
    _silence()
    syscalls.seccomp_allow_list(boot.warm_program)
    alive = True
    while alive:
        alive = _one_child(control, boot, main_function, rehearsal, sample) and not boot.single


def _silence() -> None:
    """Nothing that the engine prints may go anywhere: standard streams become a pipe without a reader."""
    reader, writer = os.pipe()
    for stream in (0, 1, 2):
        os.dup2(writer, stream)
    os.close(reader)
    os.close(writer)


def _one_child(
    control: socket.socket, boot: Boot, function: child.Main, rehearsal: bytes, sample: int | None
) -> bool:
    broker, broker_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    supervisor, supervisor_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    pid = os.fork()
    if pid == 0:
        for ours in (control, broker_end, supervisor):
            ours.close()
        if sample is not None:
            os.close(sample)
        _be_child(boot, function, rehearsal, broker, supervisor_end)
    broker.close()
    supervisor_end.close()
    pidfd = os.pidfd_open(pid)
    try:
        _send(control, Ready(pid=pid), [broker_end.fileno(), pidfd])
        broker_end.close()
        connected = _supervise(control, pid, pidfd, supervisor, sample)
    finally:
        os.close(pidfd)
        supervisor.close()
    return _bury(control, pid) and connected


def _be_child(
    boot: Boot, function: child.Main, rehearsal: bytes, broker: socket.socket, supervisor: socket.socket
) -> NoReturn:
    try:
        child.grow_descriptor_table()
        stage = child.rehearsal(rehearsal)
        child.lock_down(boot, supervisor)
        child.rest(broker, stage, function)
        child.serve(broker, function)
    finally:
        os._exit(70)


def _supervise(
    control: socket.socket, pid: int, pidfd: int, supervisor: socket.socket, sample: int | None
) -> bool:
    """Until the child ends: take its files from the broker, answer its openat calls. False: the broker is gone."""
    files: list[int] = []
    listener = -1
    poll = select.poll()
    for descriptor in (control.fileno(), pidfd, supervisor.fileno()):
        poll.register(descriptor, select.POLLIN)
    try:
        while True:
            ready = dict(poll.poll())
            # The broker sends files before the job that opens them, so its messages go first. All that lie there
            # now: they may have come after `poll` looked, and the child's call still before it ended.
            if not _take_files(control, pid, files):
                return False
            if ready.get(listener, 0) & select.POLLIN:
                opener.answer(listener, files, sample)
            elif listener in ready:
                # The child is ending: the hang-up would wake this loop until it has ended.
                poll.unregister(listener)
            if supervisor.fileno() in ready:
                poll.unregister(supervisor.fileno())
                listener = _take_listener(supervisor)
                if listener >= 0:
                    poll.register(listener, select.POLLIN)
            if pidfd in ready:
                return True
    finally:
        for descriptor in [*files, *([listener] if listener >= 0 else [])]:
            os.close(descriptor)


def _take_files(control: socket.socket, pid: int, files: list[int]) -> bool:
    """Whatever the broker has sent so far; False: it is gone."""
    while select.select([control], [], [], 0)[0]:
        message, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, DESCRIPTORS)
        if not message:
            return False
        if msgspec.msgpack.decode(message, type=Files).pid == pid:
            files.extend(descriptors)
            continue
        # Sent to a child that has died since: to this one they are a stranger's.
        for descriptor in descriptors:
            os.close(descriptor)
    return True


def _take_listener(supervisor: socket.socket) -> int:
    _, descriptors, _, _ = socket.recv_fds(supervisor, 1, 1)
    return descriptors[0] if descriptors else -1


def _bury(control: socket.socket, pid: int) -> bool:
    # Nothing of this child may outlive it, whatever it started.
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, 0):
            pass
    cpu_us = int((usage.ru_utime + usage.ru_stime) * 1_000_000)
    return _send(control, Ended(status=status, cpu_us=cpu_us, peak_memory_bytes=usage.ru_maxrss * 1024), [])


def _send(control: socket.socket, message: Ready | Ended, descriptors: list[int]) -> bool:
    try:
        socket.send_fds(control, [msgspec.msgpack.encode(message)], descriptors)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


if __name__ == "__main__":
    main(int(sys.argv[1]))
