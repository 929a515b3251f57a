"""Clients that are slow, say nothing or never end, on real sockets; seconds go by when the test says so."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from uvicorn.config import Config as ServerConfig
from uvicorn.server import ServerState

from marketplace.web.connections import Bounds, Connection, Connections

HEAD_S, STALL_S, RATE, HEAD_BYTES = 5, 3, 100, 4_096
USUAL = Bounds(
    connections_max=8, address_connections_max=4, request_head_max_bytes=HEAD_BYTES, request_head_max_s=HEAD_S,
    client_stall_max_s=STALL_S, client_least_bytes_per_s=RATE,
)  # fmt: skip
ANSWER_BYTES = 32 * 1024 * 1024
"""More than the system keeps of what nobody reads."""
REQUEST = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """`/wait` until the client goes, `/large` a large answer, else how long the body was."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    if scope["path"] == "/wait":
        await receive()
        return
    body = b"x" * ANSWER_BYTES if scope["path"] == "/large" else str(size).encode()
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


class Counted(Connection):
    """One that knows how many bytes have come in."""

    received = 0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.received += len(data)


class Counting(Connections):
    """All of them know it."""

    def __call__(self, *given: Any) -> Counted:
        return Counted(self, *given)


class Service:
    """What listens, with its connections."""

    def __init__(self, connections: Connections, port: int) -> None:
        self.connections, self.port = connections, port
        self.clients: list[Client] = []
        """A socket that nobody knows any more is closed."""

    async def connect(self, sent: bytes = b"") -> Client:
        """A client whose bytes have come in."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1024)
        client = Client(reader, writer)
        self.clients.append(client)
        await self.until(lambda: self.ports() >= {client.port})
        await self.send(client, sent)
        return client

    async def send(self, client: Client, data: bytes) -> None:
        """Until it has come in, or the connection is over."""
        client.sent += len(data)
        client.writer.write(data)
        with contextlib.suppress(ConnectionError):
            await client.writer.drain()
        await self.until(lambda: client.port not in self.ports() or self.of(client).received == client.sent)

    def ports(self) -> set[int]:
        """Of the clients that are connected."""
        return {each.client[1] for each in self.connections.open if each.client}

    def of(self, client: Client) -> Any:
        """The connection on our side."""
        return next(each for each in self.connections.open if each.client and each.client[1] == client.port)

    async def seconds(self, count: int) -> None:
        """Go by; who was ended by then has gone."""
        for _ in range(count):
            self.connections.look()
        await self.until(lambda: not any(each.transport.is_closing() for each in self.connections.open))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Others go on meanwhile."""
        async with asyncio.timeout(60):
            while not holds():  # noqa: ASYNC110 (nobody tells)
                await asyncio.sleep(0.001)


class Client:
    """A real socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.sent = 0
        self.port: int = writer.get_extra_info("sockname")[1]

    async def told(self) -> bytes:
        """All until the connection ends."""
        found = bytearray()
        with contextlib.suppress(ConnectionError):
            while piece := await self.reader.read(65536):
                found += piece
        self.writer.close()
        return bytes(found)

    async def status(self) -> int:
        """Of the next answer, its head read."""
        return int((await self.reader.readuntil(b"\r\n\r\n")).split()[1])


@contextlib.asynccontextmanager
async def serving(bounds: Bounds = USUAL, *, proxies: str = "") -> AsyncIterator[Service]:
    connections = Counting(bounds, proxies=proxies, look_every_s=10**6)
    config = ServerConfig(echo, lifespan="off", ws="none", log_level="critical", timeout_keep_alive=10**6)
    config.load()
    loop, state = asyncio.get_running_loop(), ServerState()
    server = await loop.create_server(lambda: connections(config, state, {}, None), "127.0.0.1", 0)
    async with server:
        yield Service(connections, server.sockets[0].getsockname()[1])
        for connection in tuple(connections.open):
            connection.transport.abort()


@pytest.mark.parametrize("sent", [b"", b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_head_that_is_not_whole_in_time_is_ended_however_often_a_byte_comes(sent: bytes) -> None:
    async with serving() as service:
        client = await service.connect(sent)
        for _ in range(HEAD_S):
            await service.seconds(1)
            await service.send(client, b"a" if sent else b"")
        assert service.ports() == {client.port}
        await service.seconds(1)
        told = await client.told()
        assert told.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"request.too_slow"' in told
        assert not service.connections.open


async def test_a_second_head_on_the_same_connection_has_its_own_time() -> None:
    async with serving() as service:
        client = await service.connect(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await client.status() == 200
        await service.seconds(10 * HEAD_S)  # idle: the server's own keep-alive timeout ends that
        await service.send(client, b"GET / HT")
        await service.seconds(HEAD_S)
        assert service.ports()
        await service.seconds(1)
        assert not service.ports()


async def test_a_body_a_byte_at_a_time_is_ended_and_one_at_the_least_rate_is_not() -> None:
    async with serving() as service:
        slow, steady = await service.connect(POST), await service.connect(POST)
        for _ in range(9):
            if slow.port in service.ports():  # what is sent to nobody makes the system forget what it was told
                await service.send(slow, b"a")
            await service.send(steady, b"a" * RATE)
            await service.seconds(1)
        assert service.ports() == {steady.port}
        assert (await slow.told()).startswith(b"HTTP/1.1 408 ")
        await service.send(steady, b"a" * RATE)
        assert await steady.status() == 200


async def test_whoever_waits_for_us_is_not_counted() -> None:
    """A long question; and a body that is only sent once the server asks for it."""
    async with serving() as service:
        await service.connect(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        await service.seconds(10 * STALL_S)
        assert len(service.ports()) == 1


async def test_an_answer_nobody_reads_is_ended_and_one_read_slowly_is_not() -> None:
    async with serving() as service:
        gone, slow = await service.connect(REQUEST), await service.connect(REQUEST)
        await service.until(lambda: service.of(gone)._unsent() > 0 and service.of(slow)._unsent() > 0)
        left = service.of(slow)._unsent()
        while service.of(slow)._unsent():
            async with asyncio.timeout(60):
                while service.of(slow)._unsent() > left - RATE > 0:
                    await slow.reader.read(1024)
            left = service.of(slow)._unsent()
            await service.seconds(1)
            if gone.port not in service.ports():
                break
        assert service.ports() == {slow.port}
        await service.seconds(STALL_S + 1)
        assert not service.ports(), "it stopped reading"


@pytest.mark.parametrize(
    ("head", "again"),
    [
        (b"GET /", b"a" * 1_000),
        (b"GET / HTTP/1.1\r\nX: ", b"a" * 1_000),
        (b"GET / HTTP/1.1\r\n", b"X-Many: a\r\n" * 100),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Many: a\r\n" * 100),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;", b"a" * 1_000),
    ],
    ids=["address", "header", "headers", "trailers", "chunk extension"],
)  # fmt: skip
async def test_what_comes_without_end_beside_a_body_is_ended(head: bytes, again: bytes) -> None:
    async with serving() as service:
        client = await service.connect(head)
        sent = 0
        while service.ports() and sent < 100 * HEAD_BYTES:
            await service.send(client, again)
            sent += len(again)
        assert sent <= 2 * HEAD_BYTES + 65536
        told = await client.told()
        assert b'"code":"request.head_too_large"' in told
        assert b"retry-after: " not in told  # it would be as large again


async def test_an_address_has_so_many_connections_and_a_proxy_as_many_as_there_are() -> None:
    async with serving() as service:
        for _ in range(USUAL.address_connections_max):
            await service.connect()
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        told = await Client(reader, writer).told()
        assert told.startswith(b"HTTP/1.1 429 ")
        assert b'"code":"connection.too_many"' in told
        assert b"retry-after: " in told
        assert len(service.ports()) == service.connections.of_address["127.0.0.1"] == USUAL.address_connections_max
        for connection in tuple(service.connections.open):
            connection.transport.abort()
        await service.until(lambda: not service.ports())
        assert not service.connections.of_address
        await service.connect()
    async with serving(proxies="127.0.0.1") as service:
        for _ in range(USUAL.connections_max):
            await service.connect()


async def test_where_all_places_are_taken_the_one_that_was_silent_longest_makes_room() -> None:
    async with serving(proxies="127.0.0.1") as service:
        busy = await service.connect(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        silent = [await service.connect(b"GET ") for _ in range(USUAL.connections_max - 1)]
        await service.send(silent[0], b"/")
        new = await service.connect(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await new.status() == 200
        stayed = {busy.port, new.port, silent[0].port, *(each.port for each in silent[2:])}
        assert service.ports() == stayed, "who waits for us stays; of the others the one heard of longest ago went"
        assert service.connections.ended["connection.made_room"] == 1


async def test_where_all_wait_for_us_one_more_is_told_that_there_is_no_room() -> None:
    async with serving(proxies="127.0.0.1") as service:
        for _ in range(USUAL.connections_max):
            await service.connect(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        assert (await Client(reader, writer).told()).startswith(b"HTTP/1.1 503 ")


async def test_who_closes_its_half_leaves_nothing_behind() -> None:
    async with serving() as service:
        client = await service.connect(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        sock: socket.socket = client.writer.get_extra_info("socket")
        assert sock.fileno() >= 0
        client.writer.write_eof()
        await service.until(lambda: not service.ports())
        assert await client.told() == b""
