"""A warm process that was taken over lies about its child: the jail is lost, nothing else dies or stays open."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import msgspec
import pytest

from sandbox.isolation import waiting
from sandbox.isolation.jail import Jail, JailLost
from sandbox.worker.wire import Ended, Ready

_SO_PEERPIDFD = 77
Told = tuple[bytes, list[int]]


def ready(pid: int = 2) -> bytes:
    return msgspec.msgpack.encode(Ready(pid=pid))


def a_socket() -> int:
    ours, theirs = socket.socketpair()
    ours.close()
    return theirs.detach()


def the_brokers_own_process(control: socket.socket) -> Told:
    """The other end's pidfd: to kill the child would be to kill the broker."""
    try:
        return ready(), [a_socket(), control.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD)]
    except OSError:
        pytest.skip("Linux 6.5 or newer gives it")


def the_brokers_own_process_by_its_number(control: socket.socket) -> Told:
    _, descriptors = the_brokers_own_process(control)
    return ready(os.getpid()), descriptors


def a_file_for_a_process(_: socket.socket) -> Told:
    return ready(), [a_socket(), os.open("/dev/null", os.O_RDONLY)]


def a_file_for_a_socket(_: socket.socket) -> Told:
    return ready(), [os.open("/dev/null", os.O_RDONLY), os.pidfd_open(os.getpid())]


def no_descriptors(_: socket.socket) -> Told:
    return ready(), []


def one_descriptor(_: socket.socket) -> Told:
    return ready(), [a_socket()]


def an_end_with_descriptors_and_then_another(_: socket.socket) -> Told:
    return msgspec.msgpack.encode(Ended(status=0, cpu_us=0, peak_memory_bytes=0)), [a_socket(), a_socket()]


def words_of_no_kind(_: socket.socket) -> Told:
    return b"\xc1\xc1", [a_socket()]


def an_impossible_number(_: socket.socket) -> Told:
    return msgspec.msgpack.encode(("ready", -1)), [a_socket(), os.pidfd_open(os.getpid())]


LIES: list[Callable[[socket.socket], Told]] = [
    the_brokers_own_process, the_brokers_own_process_by_its_number, a_file_for_a_process, a_file_for_a_socket,
    no_descriptors, one_descriptor, an_end_with_descriptors_and_then_another, words_of_no_kind,
    an_impossible_number,
]  # fmt: skip


@contextmanager
def jail_of(control: socket.socket) -> Iterator[Jail]:
    """The broker's side, with a process that only sleeps behind it."""
    process = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    jail = Jail(process, control, None, 1 << 20, os.memfd_create("errors"))
    try:
        yield jail
    finally:
        jail.close()


def tell(theirs: socket.socket, told: Told) -> None:
    message, descriptors = told
    socket.send_fds(theirs, [message], descriptors)
    for descriptor in descriptors:
        os.close(descriptor)


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
async def test_a_lie_about_the_child_loses_the_jail_and_nothing_else(lie: Callable[[socket.socket], Told]) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    with theirs, jail_of(ours) as jail:
        tell(theirs, lie(theirs))
        if lie is an_end_with_descriptors_and_then_another:
            tell(theirs, lie(theirs))
        with pytest.raises(JailLost):
            await jail.prepare()
        jail.kill()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


async def test_without_the_look_at_the_process_the_broker_would_hold_itself_for_the_child() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    with theirs, jail_of(ours) as jail, patch.object(waiting, "_require_inside", lambda *_: None):
        tell(theirs, the_brokers_own_process(theirs))
        await jail.prepare()
        assert jail._waiting is not None
        told = open(f"/proc/self/fdinfo/{jail._waiting.pidfd}").read()  # noqa: PTH123, SIM115, ASYNC230
        assert f"Pid:\t{os.getpid()}\n" in told
