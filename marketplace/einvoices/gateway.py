"""The port to the tax office, and its adapter over HTTP: one message out, one answer back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from marketplace.config import Config
from marketplace.einvoices.messages import NotAnswered

if TYPE_CHECKING:
    import httpx

ANSWER_BYTES = 4 * 1024 * 1024
PATH = "/tdiep"


class Gateway(Protocol):
    """Whoever carries messages to the tax office; the same message again must be the same question there."""

    certificate: bytes
    """PEM; only what is signed under it counts as an answer."""

    async def ask(self, message: bytes) -> bytes:
        """The answer's bytes. Raises NotAnswered: unreachable, not_yet, too_long."""


class HttpGateway:
    """POST to `einvoice_gateway_url`. Raises OSError if its certificate cannot be read."""

    def __init__(self, url: str, certificate: bytes, *, timeout_ms: int) -> None:
        self.certificate = certificate
        self._url = url.rstrip("/") + PATH
        self._timeout_s = timeout_ms / 1_000

    async def ask(self, message: bytes) -> bytes:
        """202: it is being looked at; 200: the answer is the body."""
        import httpx  # a quarter of a second, which a service without a gateway need not spend

        headers = {"Content-Type": "application/xml"}
        try:
            async with (
                httpx.AsyncClient(timeout=self._timeout_s) as http,
                http.stream("POST", self._url, content=message, headers=headers) as answer,
            ):
                if answer.status_code != httpx.codes.OK:
                    raise NotAnswered("not_yet" if answer.status_code == httpx.codes.ACCEPTED else "unreachable")
                return await _bounded(answer)
        except httpx.HTTPError as away:
            raise NotAnswered("unreachable") from away


async def _bounded(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > ANSWER_BYTES:
            raise NotAnswered("too_long")
    return bytes(body)


def open_gateway(config: Config) -> Gateway | None:
    """None where none is configured: documents are signed, and wait. Raises OSError."""
    if config.einvoice_gateway_url is None:
        return None
    assert config.einvoice_gateway_certificate is not None  # `load` asks for both
    certificate = config.einvoice_gateway_certificate.read_bytes()
    return HttpGateway(config.einvoice_gateway_url, certificate, timeout_ms=config.einvoice_timeout_ms)
