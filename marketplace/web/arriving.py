"""What requests on their way in may hold together: bodies are read before anybody knows who sends them."""

from __future__ import annotations

from collections import Counter
from typing import Final

from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from marketplace.accounts.allowance import address_of
from marketplace.config import Config
from marketplace.errors import Problem
from marketplace.web.unasked import RETRY_AFTER_S, TooManyConnections

SMALL_BODY_BYTES: Final = 64 * 1024
"""Of each body, which the bound on connections bounds: a question always comes in."""


class NoRoomForBody(Problem):
    """Of one address, beside what others hold."""

    status = 429
    code = "request.no_room"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": str(RETRY_AFTER_S)})


class Arriving:
    """All of a process. `most_bytes`: of bodies beyond their small beginnings; `address_requests`: at once."""

    def __init__(self, most_bytes: int, address_requests: int, *, proxies: str) -> None:
        self.held: Counter[str] = Counter()
        """Bytes, by address."""
        self.requests: Counter[str] = Counter()
        self._most_bytes, self._address_requests = most_bytes, address_requests
        self._proxies = ProxyHeadersMiddleware(_nowhere, proxies).trusted_hosts

    def begin(self, address: str) -> None:
        """A request. A proxy that does not say for whom it asks has no bound. Raises TooManyConnections."""
        if self.requests[address] >= self._address_requests and address not in self._proxies:
            most, headers = self._address_requests, {"Retry-After": str(RETRY_AFTER_S)}
            raise TooManyConnections(most=most, headers=headers)
        self.requests[address] += 1

    def hold(self, address: str, count: int) -> None:
        """Bytes more. Whoever holds as much as is free gets no more, so n addresses leave one part in n + 1.

        Dynamic thresholds as in Choudhury and Hahne, 1998. Raises NoRoomForBody, which holds nothing.
        """
        free = self._most_bytes - self.held.total() - count
        if self.held[address] + count > free:
            raise NoRoomForBody
        self.held[address] += count

    def end(self, address: str, count: int) -> None:
        """A request, with the bytes that it held."""
        self.held[address] -= count
        self.requests[address] -= 1
        for each in (self.held, self.requests):
            if not each[address]:
                del each[address]


class Bounded:
    """Around each route. One without a bound of its body asks who sends it and streams it: it holds nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Counted from when the head is there until the answer is given."""
        arriving: Arriving = scope["litestar_app"].state.arriving
        address, came, held = address_of(scope), 0, 0

        async def counted() -> Message:
            nonlocal came, held
            message = await receive()
            if message["type"] == "http.request":
                came += len(message["body"])
                more = max(0, came - SMALL_BODY_BYTES) - held
                if more:
                    arriving.hold(address, more)
                    held += more
            return message  # type: ignore[return-value]

        arriving.begin(address)
        try:
            await self.app(scope, receive if _streams(scope) else counted, send)  # type: ignore[arg-type]
        finally:
            arriving.end(address, held)


def arriving(config: Config) -> Arriving:
    """As it is configured."""
    return Arriving(config.bodies_max_bytes, config.address_connections_max, proxies=config.proxy_addresses)


def _streams(scope: Scope) -> bool:
    handler = scope["route_handler"]
    return not isinstance(handler, HTTPRouteHandler) or handler.resolve_request_max_body_size() is None


async def _nowhere(scope: object, receive: object, send: object) -> None:
    """No service: only whom a proxy is taken for is asked."""
