"""The single-use child: locks itself down, waits for one job, answers, ends."""

from __future__ import annotations

import os
import resource
import socket
import struct
import time
from collections.abc import Callable
from typing import BinaryIO, NoReturn

import msgspec

from sandbox.worker import syscalls
from sandbox.worker.refusal import Refused, Word
from sandbox.worker.wire import DESCRIPTORS, TIME_TO_REHEARSE, Boot, Job, Reply

Main = Callable[[bytes, list[int], BinaryIO], bytes]


def grow_descriptor_table() -> None:
    """Make room for a job's descriptors now: growing the table with threads about costs 15 ms."""
    high = 2 * DESCRIPTORS
    os.close(os.dup2(0, high))


def lock_down(boot: Boot, supervisor: socket.socket) -> None:
    """Bind this process, still one thread, to every layer; the warm process then answers its `openat` calls."""
    # In this order: behind each layer the calls that the next one is made with are still allowed.
    for name, value in boot.resource_limits.items():
        resource.setrlimit(getattr(resource, name), (value, value))
    if boot.address_space_bytes is not None:
        resource.setrlimit(resource.RLIMIT_AS, (boot.address_space_bytes, boot.address_space_bytes))
    # The supervisor reads the path of an openat call from this process's memory.
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)
    syscalls.landlock_everything()
    listener = syscalls.seccomp_listener(boot.open_program)
    socket.send_fds(supervisor, [b"l"], [listener])
    os.close(listener)
    supervisor.close()
    syscalls.seccomp_allow_list(boot.allow_program)


def rehearsal(payload: bytes) -> socket.socket:
    """Where a job lies that nobody asks; its small answer goes the same way back. To be made before the locks."""
    stage, behind = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    head = msgspec.msgpack.encode(Job(payload_bytes=len(payload), inputs=0))
    socket.send_fds(behind, [struct.pack("<I", len(head)) + head + payload], [behind.fileno()])
    behind.close()
    return stage


def rest(broker: socket.socket, stage: socket.socket, main: Main) -> None:
    """Until a job lies there, which is not taken. If the broker says first that there is time, the whole way of a
    job is gone once: what it touches is then this process's own memory before anybody waits."""
    if broker.recv(len(TIME_TO_REHEARSE), socket.MSG_PEEK) == TIME_TO_REHEARSE:
        broker.recv(len(TIME_TO_REHEARSE))
        _answered(stage, main)
    stage.close()


def serve(broker: socket.socket, main: Main) -> NoReturn:
    """Take one job from the broker, answer it and wait for the end."""
    broker.sendall(_answered(broker, main))
    # The broker reads from the kernel what this process used, so it must still be there: the broker ends it.
    broker.recv(1)
    os._exit(0)


def _answered(source: socket.socket, main: Main) -> bytes:
    payload, output, inputs = _receive(source)
    started = time.perf_counter_ns()
    outcome, body = _run(main, payload, inputs, output)
    reply = Reply(
        outcome=outcome,
        body_bytes=len(body),
        written_bytes=output.tell() if output.seekable() else 0,
        engine_us=(time.perf_counter_ns() - started) // 1_000,
    )
    head = msgspec.msgpack.encode(reply)
    return struct.pack("<I", len(head)) + head + body


def _run(main: Main, payload: bytes, inputs: list[int], output: BinaryIO) -> tuple[Word, bytes]:
    try:
        body = main(payload, inputs, output)
        output.flush()
    except Refused as refused:
        return refused.outcome, b""
    except MemoryError:
        return "memory", b""
    except BaseException:  # what went wrong must not leave the jail, whatever it is
        return "engine", b""
    return "done", body


def _receive(broker: socket.socket) -> tuple[bytes, BinaryIO, list[int]]:
    head, descriptors, _, _ = socket.recv_fds(broker, 4_096, DESCRIPTORS)
    size = struct.unpack_from("<I", head)[0]
    job = msgspec.msgpack.decode(head[4 : 4 + size], type=Job)
    payload = bytearray(head[4 + size :])
    while len(payload) < job.payload_bytes:
        payload += broker.recv(min(1 << 20, job.payload_bytes - len(payload)))
    return bytes(payload), os.fdopen(descriptors[0], "wb"), list(descriptors[1:])
