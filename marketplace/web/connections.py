"""Connections of clients that are slow or say nothing: how long and how much each may keep us waiting for it.

The server below bounds neither a request's head, nor how slowly a body comes or an answer is taken, nor how many
connections one address holds. Once a second each connection that waits for its client is looked at, as Apache's
mod_reqtimeout does: a head has a time of its own; a body, or an answer on its way, has its patience, which what
moves makes up for. While we are the ones who take long, nothing is counted.
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter, OrderedDict
from typing import Any, Final

import httptools
from msgspec import Struct
from uvicorn.config import Config as ServerConfig
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from marketplace.accounts.allowance import address_of
from marketplace.config import Config
from marketplace.errors import Problem, Unavailable
from marketplace.web.unasked import HeadTooLarge, RequestTooSlow, TooManyConnections, written

DRAINED_BYTES: Final = 48 * 1024
"""Gone at least, when what waits to be sent fell from asyncio's high mark to its low one."""
OTHER_DESCRIPTORS: Final = 1_024
MADE_ROOM: Final = "connection.made_room"
ENDED: Final = (
    MADE_ROOM, TooManyConnections.code, RequestTooSlow.code, HeadTooLarge.code, Unavailable.code,
)  # fmt: skip
"""Why a connection was not let in or did not stay."""


class Bounds(Struct, frozen=True, kw_only=True):
    """As the settings of these names say."""

    connections_max: int
    address_connections_max: int
    request_head_max_bytes: int
    request_head_max_s: int
    client_stall_max_s: int
    client_least_bytes_per_s: int


class Connections:
    """All of a process. Called as the server calls a protocol class: makes one connection's."""

    def __init__(self, bounds: Bounds, *, proxies: str, look_every_s: float = 1.0) -> None:
        self.bounds = bounds
        self.open: OrderedDict[Connection, None] = OrderedDict()
        """The one that was heard of longest ago first."""
        self.of_address: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        """By what ENDED names."""
        self._proxies = ProxyHeadersMiddleware(_nowhere, proxies).trusted_hosts
        self._look_every_s = look_every_s
        self._looking: asyncio.TimerHandle | None = None

    def __call__(
        self,
        config: ServerConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> Connection:
        return Connection(self, config, server_state, app_state, _loop)

    def admit(self, connection: Connection) -> Problem | None:
        """Why it may not stay. Where all places are taken, one who keeps us waiting leaves its own."""
        address, most = connection.address, self.bounds.address_connections_max
        proxied = connection.client is None or connection.client[0] in self._proxies
        if not proxied and self.of_address[address] >= most:
            return TooManyConnections(most=most)
        if len(self.open) >= self.bounds.connections_max and not self._make_room():
            return Unavailable()
        self.of_address[address] += 1
        self.open[connection] = None
        if self._looking is None:
            self._looking = connection.loop.call_later(self._look_every_s, self._look_on, connection.loop)
        return None

    def leave(self, connection: Connection) -> None:
        """It was closed."""
        if connection in self.open:
            del self.open[connection]
            self.of_address[connection.address] -= 1
            if not self.of_address[connection.address]:
                del self.of_address[connection.address]

    def look(self) -> None:
        """A second has gone by."""
        for connection in tuple(self.open):
            connection.look()

    def _look_on(self, loop: asyncio.AbstractEventLoop) -> None:
        self.look()
        self._looking = loop.call_later(self._look_every_s, self._look_on, loop) if self.open else None

    def _make_room(self) -> bool:
        waited_for = next((each for each in self.open if each.idle), None)
        if waited_for is not None:
            self.ended[MADE_ROOM] += 1
            waited_for.transport.abort()
            self.leave(waited_for)
        return waited_for is not None


class Connection(HttpToolsProtocol):
    """One client's, with what it may keep us waiting for."""

    def __init__(
        self,
        all_of_them: Connections,
        config: ServerConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        super().__init__(config, server_state, app_state, loop)
        self._all, self._bounds = all_of_them, all_of_them.bounds
        self.address = ""
        self._in_head, self._head_s, self._head_bytes, self._quiet_bytes = True, 0, 0, 0
        self._moved_bytes = self._unsent_bytes = 0
        self._patience_s = float(self._bounds.client_stall_max_s)

    @property
    def idle(self) -> bool:
        """It has a request to send, or the rest of one, and nothing to get."""
        return not self._unsent() and (self._in_head or self._awaits_body() or self._answered())

    def look(self) -> None:
        """A second has gone by: count it where we wait for the client, and end what waited for too long."""
        unsent = self._unsent()
        if unsent or self._awaits_body():
            moved = self._moved_bytes + max(0, self._unsent_bytes - unsent)
            left = self._patience_s - 1 + moved / self._bounds.client_least_bytes_per_s
            self._patience_s = min(left, self._bounds.client_stall_max_s)
            if self._patience_s < 0:
                self._end(RequestTooSlow())
        else:
            self._patience_s = self._bounds.client_stall_max_s
            if self._in_head:
                self._head_s += 1
                if self._head_s > self._bounds.request_head_max_s:
                    self._end(RequestTooSlow())
        self._moved_bytes, self._unsent_bytes = 0, unsent

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address = address_of({"client": self.client})
        refusal = self._all.admit(self)
        if refusal is not None:
            self._end(refusal)

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._moved_bytes += len(data)
        self._quiet_bytes += len(data)
        if self in self._all.open:
            self._all.open.move_to_end(self)
        super().data_received(data)
        if self._quiet_bytes > self._bounds.request_head_max_bytes and not self.transport.is_closing():
            self._end(HeadTooLarge(max_bytes=self._bounds.request_head_max_bytes))

    def resume_writing(self) -> None:
        self._moved_bytes += DRAINED_BYTES
        super().resume_writing()

    def on_message_begin(self) -> None:
        self._in_head, self._head_s, self._head_bytes = True, 0, 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count_head(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(name, value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._quiet_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._quiet_bytes = 0
        super().on_message_complete()

    def _count_head(self, *parts: bytes) -> None:
        """What comes without end, also behind a body."""
        self._quiet_bytes = 0
        self._head_bytes += sum(len(each) for each in parts)
        if self._head_bytes > self._bounds.request_head_max_bytes:
            self._end(HeadTooLarge(max_bytes=self._bounds.request_head_max_bytes))
            raise httptools.HttpParserError

    def send_400_response(self, msg: str) -> None:
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def _unsent(self) -> int:
        return self.transport.get_write_buffer_size()

    def _answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _awaits_body(self) -> bool:
        cycle = self.cycle
        wanted = cycle is not None and cycle.more_body and not cycle.waiting_for_100_continue
        return wanted and not self._in_head and not self.flow.read_paused

    def _end(self, problem: Problem) -> None:
        """With an answer, where none was begun."""
        self._all.ended[problem.code] += 1
        if self._unsent() or (self.cycle is not None and self.cycle.response_started and not self._answered()):
            self.transport.abort()
            return
        self.transport.write(written(problem))
        self.transport.close()


def allow_descriptors(most: int) -> None:
    """For so many connections, and what else the process holds; as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + OTHER_DESCRIPTORS
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


def connections(config: Config) -> Connections:
    """As it is configured."""
    bounds = Bounds(**{name: getattr(config, name) for name in Bounds.__struct_fields__})
    return Connections(bounds, proxies=config.proxy_addresses)


async def _nowhere(scope: Any, receive: Any, send: Any) -> None:
    """No service: only whom a proxy is taken for is asked."""
