"""Attacks by a child that has answered and does not leave."""

from __future__ import annotations

import os
import socket
import struct
import time
from typing import BinaryIO

import msgspec

from . import answers


def for_the_next_job(output: BinaryIO) -> bytes:
    """Answer, wait for somebody else's job on the same socket, answer that with what its file holds."""
    answers.cell(output, "first")
    broker = _broker()
    _reply(broker, output.tell())
    _, descriptors, _, _ = socket.recv_fds(broker, 4_096, 8)
    with os.fdopen(descriptors[0], "wb") as stolen:
        answers.cell(stolen, "stolen: " + os.pread(descriptors[1], 64, 0).decode())
        _reply(broker, stolen.tell())
        while True:
            broker.recv(1)


def to_change_the_answer(output: BinaryIO) -> bytes:
    """Answer, then write another word over the answer again and again."""
    data = answers.stream_of_text("before")
    output.write(data)
    output.flush()
    os.lseek(output.fileno(), data.index(b"before"), os.SEEK_SET)
    with _broker() as broker:
        _reply(broker, len(data))
        while True:
            os.write(output.fileno(), b"later!")
            os.lseek(output.fileno(), -6, os.SEEK_CUR)


def and_say_it_twice(output: BinaryIO) -> bytes:
    """A second reply, with which the next query's could be mistaken."""
    answers.cell(output, "once")
    with _broker() as broker:
        _reply(broker, output.tell())
        _reply(broker, 1)
        while True:
            broker.recv(1)


def and_talk_on(output: BinaryIO) -> bytes:
    """A reply, and then words without end, which fill every buffer that takes them."""
    answers.cell(output, "once")
    with _broker() as broker:
        _reply(broker, output.tell())
        while True:
            broker.sendall(bytes(65_536))


def and_trickle(output: BinaryIO) -> bytes:
    """A reply of a byte now and then, so that something always comes."""
    answers.cell(output, "late")
    head = answers.reply("done", 0, output.tell())
    with _broker() as broker:
        for byte in struct.pack("<I", len(head)) + head:
            broker.sendall(bytes([byte]))
            time.sleep(0.05)
        while True:
            broker.recv(1)


def and_say_what_it_used(output: BinaryIO) -> bytes:
    """A reply with statistics of its own making."""
    answers.cell(output, "cheap")
    head = msgspec.msgpack.encode(("done", 0, output.tell(), 1 << 50))
    with _broker() as broker:
        broker.sendall(struct.pack("<I", len(head)) + head)
        while True:
            broker.recv(1)


def and_say_something_with_it(output: BinaryIO) -> bytes:
    """Words beside the answer, which nobody asked for."""
    answers.cell(output, "answer")
    head = answers.reply("done", 6, output.tell())
    with _broker() as broker:
        broker.sendall(struct.pack("<I", len(head)) + head + b"secret")
        while True:
            broker.recv(1)


def _broker() -> socket.socket:
    # All told, for to ask the kernel what it is is refused.
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=answers.broker())


def _reply(broker: socket.socket, written: int) -> None:
    head = answers.reply("done", 0, written)
    broker.sendall(struct.pack("<I", len(head)) + head)
