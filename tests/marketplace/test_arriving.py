"""Bodies that nobody asked for, at the real service: how much they hold together and what is left to others."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.web.arriving import SMALL_BODY_BYTES, Arriving, NoRoomForBody
from marketplace.web.health import HELD
from marketplace.web.unasked import TooManyConnections
from tests.market import Market
from tests.prepared import Prepared

MEBIBYTE = 1024 * 1024
MOST_BYTES = 4 * MEBIBYTE
ADDRESS_REQUESTS = 6


@pytest.fixture(scope="module")
def narrow(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """With room for little; what asks it is its proxy."""
    opened = prepared.open_market(
        Path(tmp_path_factory.mktemp("narrow")),
        SANDULIEU_BODIES_MAX_BYTES=str(MOST_BYTES),
        SANDULIEU_ADDRESS_CONNECTIONS_MAX=str(ADDRESS_REQUESTS),
    )
    opened.start()
    yield opened
    opened.stop()


class Sender:
    """Clients behind the proxy, all of whose connections are closed in the end."""

    def __init__(self, market: Market, links: contextlib.ExitStack) -> None:
        self.market, self._links = market, links

    def begin(self, address: str, held: int) -> socket.socket:
        """A request that holds so many bytes, and whose last byte never comes."""
        size = held + SMALL_BODY_BYTES
        link = self._links.enter_context(socket.create_connection(("127.0.0.1", self.market.port), timeout=60))
        head = (
            f"POST /api/v1/queries HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {address}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {size + 1}\r\n\r\n"
        )
        link.sendall(head.encode() + b" " * size)
        return link

    def held(self) -> int:
        """Bytes, as the service says."""
        told = self.market.client("regulator").get("/metrics").body.decode()
        return int(next(line.split()[1] for line in told.splitlines() if line.startswith(f"{HELD} ")))

    def until_held(self, count: int) -> None:
        ends = time.monotonic() + 60
        while self.held() != count:
            assert time.monotonic() < ends, self.held()


@pytest.fixture
def sender(narrow: Market) -> Iterator[Sender]:
    with contextlib.ExitStack() as links:
        found = Sender(narrow, links)
        yield found
    found.until_held(0)


def told(link: socket.socket) -> bytes:
    """The answer, as far as it says its code."""
    found = b""
    while b'"code"' not in found and (piece := link.recv(65536)):
        found += piece
    return found


def test_bodies_of_one_address_hold_half_of_the_room_and_small_ones_still_come_in(sender: Sender) -> None:
    sender.begin("203.0.113.1", MEBIBYTE)
    sender.until_held(MEBIBYTE)
    sender.begin("203.0.113.1", MEBIBYTE)
    sender.until_held(2 * MEBIBYTE)
    refused = told(sender.begin("203.0.113.1", MEBIBYTE))
    assert refused.startswith(b"HTTP/1.1 429 ")
    assert b'"code":"request.no_room"' in refused
    assert b"retry-after: " in refused.lower()
    sender.until_held(2 * MEBIBYTE)
    small = sender.begin("203.0.113.1", -1)
    small.sendall(b" ")
    assert told(small).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 401 ")), "read, and judged"
    sender.begin("203.0.113.2", MEBIBYTE)
    sender.until_held(3 * MEBIBYTE)


def test_an_address_behind_a_proxy_has_so_many_requests_at_once(sender: Sender) -> None:
    links = [sender.begin("203.0.113.3", 0) for _ in range(ADDRESS_REQUESTS + 1)]
    readable, _, _ = select.select(links, [], [], 60)
    assert len(readable) == 1
    refused = told(readable[0])
    assert refused.startswith(b"HTTP/1.1 429 ")
    assert b'"code":"connection.too_many"' in refused
    other = sender.begin("203.0.113.4", 0)
    other.sendall(b" ")
    assert b"HTTP/1.1 4" in told(other)
    assert not select.select([each for each in links if each is not readable[0]], [], [], 0)[0]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 400), st.booleans()), max_size=60))
def test_what_is_held_is_bounded_and_all_that_ended_is_free_again(steps: list[tuple[int, int, bool]]) -> None:
    arriving = Arriving(1_000, 1_000, proxies="")
    held: list[tuple[str, int]] = []
    for number, count, ends in steps:
        address, before = str(number), dict(arriving.held)
        arriving.begin(address)
        with contextlib.suppress(NoRoomForBody):
            arriving.hold(address, count)
            held.append((address, count))
            assert before.get(address, 0) + count <= 1_000 - arriving.held.total()
            continue
        assert arriving.held.get(address, 0) == before.get(address, 0)
        arriving.end(address, 0)
        if ends and held:
            arriving.end(*held.pop())
    assert arriving.held.total() == sum(count for _, count in held)
    for each in held:
        arriving.end(*each)
    assert not arriving.held
    assert not arriving.requests


@given(st.integers(1, 30))
def test_so_many_who_take_all_they_get_leave_one_part_to_others(attackers: int) -> None:
    most = 10_000
    arriving = Arriving(most, 10, proxies="")
    refused = False
    while not refused:
        refused = True
        for number in range(attackers):
            with contextlib.suppress(NoRoomForBody):
                arriving.hold(str(number), 1)
                refused = False
    assert most - arriving.held.total() >= most // (attackers + 1)
    arriving.hold("honest", most // (attackers + 1) // 2)


def test_a_proxy_that_does_not_say_for_whom_it_asks_has_no_bound() -> None:
    arriving = Arriving(1, 1, proxies="127.0.0.1,10.0.0.0/8")
    for _ in range(5):
        arriving.begin("10.1.2.3")
    arriving.begin("203.0.113.1")
    with pytest.raises(TooManyConnections):
        arriving.begin("203.0.113.1")
