"""Problems of connections, told where there is no request yet: by status line, headers and body as they go out."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from marketplace.errors import Problem
from marketplace.web.problems import MEDIA_TYPE, problem_view

RETRY_AFTER_S: Final = 5
"""For what may pass: a head that is too large stays so."""
NO_TRACE: Final = "0" * 32


class TooManyConnections(Problem):
    """Of one address. Params: most."""

    status = 429
    code = "connection.too_many"


class RequestTooSlow(Problem):
    status = 408
    code = "request.too_slow"


class HeadTooLarge(Problem):
    """Params: max_bytes."""

    status = 431
    code = "request.head_too_large"


def written(problem: Problem) -> bytes:
    """The whole answer, after which the connection is closed. Nobody's language is known: title and detail are
    Vietnamese, `messages` both."""
    return _written(problem.code, problem.status, tuple(sorted(problem.params.items())))


@cache
def _written(code: str, status: int, params: tuple[tuple[str, Any], ...]) -> bytes:
    problem = Problem(**dict(params))
    problem.code, problem.status = code, status  # type: ignore[misc]
    body = msgspec.json.encode(problem_view(problem, "vi", NO_TRACE))
    head: dict[str, str | int] = {
        "content-type": MEDIA_TYPE,
        "content-length": len(body),
        "cache-control": "no-store",
        **({} if status == HeadTooLarge.status else {"retry-after": RETRY_AFTER_S}),
        "connection": "close",
    }
    lines = b"".join(f"{name}: {value}\r\n".encode() for name, value in head.items())
    return STATUS_LINE[status] + lines + b"\r\n" + body
