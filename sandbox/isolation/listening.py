"""What the broker hears from a jail and its child: without blocking, and never more than it asked for."""

from __future__ import annotations

import asyncio
import socket

from sandbox.worker.wire import REPLY_BYTES


class NotTaken(Exception):
    """The child ended before it had read its job."""


async def readable(sock: socket.socket) -> None:
    """Wait until something lies there, or the other end is closed."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    loop.add_reader(sock, _settle, done)
    try:
        await done
    finally:
        loop.remove_reader(sock)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def first(sock: socket.socket, size: int) -> bytes:
    """As `exactly`, of what comes first. The kernel resets a connection whose other end closes with something
    unread before it: then the job, of which nothing is done before it is whole, was not taken."""
    try:
        return await exactly(sock, size)
    except ConnectionResetError as error:
        raise NotTaken from error


async def exactly(sock: socket.socket, size: int) -> bytes:
    """So many bytes. Raises EOFError if there are fewer, or more are wanted than a reply may have; OSError."""
    if size > REPLY_BYTES:
        raise EOFError
    data = bytearray()
    while len(data) < size:
        part = await asyncio.get_running_loop().sock_recv(sock, size - len(data))
        if not part:
            raise EOFError
        data += part
    return bytes(data)
