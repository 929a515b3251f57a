"""Every error of the API as RFC 9457 problem+json: what happened, why, what next, in the reader's language."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException

from marketplace.errors import Problem, Unavailable
from marketplace.texts import Language, Message, message, told
from marketplace.web.headers import UNKEPT
from marketplace.web.wrong_fields import names_of, wrong_field
from policies.decision import Decision, Reason
from policies.nearest import Change

MEDIA_TYPE = "application/problem+json"
BY_STATUS = {
    401: "auth.not_signed_in",
    404: "not_found",
    405: "request.method",
    406: "request.media_type",
    413: "request.too_large",
    415: "request.media_type",
    503: "service.unavailable",
}
HUNG_UP = "client disconnected prematurely"
"""As Litestar says it, which takes it for a fault of ours: whoever likes could fill our log."""
_TRACEPARENT = re.compile(r"^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$")

log = logging.getLogger("marketplace.problems")


class ReasonView(msgspec.Struct, frozen=True):
    """One reason of a denial, with its text: `message` in the language asked for, `messages` in both."""

    code: str
    severity: str
    params: Mapping[str, Any]
    message: Message
    messages: Mapping[str, Message]


class ChangeView(msgspec.Struct, frozen=True):
    """One of the fewest changes after which the request is allowed, with its text."""

    code: str
    params: Mapping[str, Any]
    message: Message


class Position(msgspec.Struct, frozen=True):
    """Where in the text that was sent; both count from 1."""

    line: int
    column: int


class ProblemView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457; `messages` holds both languages, `title`, `detail` and `next` the one asked for."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    next: str
    trace_id: str
    messages: Mapping[str, Message]
    reasons: tuple[ReasonView, ...]
    params: Mapping[str, Any]
    position: Position | None = None
    errors: tuple[Mapping[str, Any], ...] | None = None
    decision: Decision | None = None
    nearest: tuple[ChangeView, ...] = ()


def problem_handler(request: Request[Any, Any, State], exc: Exception) -> Response[bytes]:
    """The answer for any exception. What is not a Problem or Litestar's own is logged and tells nothing."""
    problem = problem_of(exc, names_of(request))
    if problem.status >= 500:
        tell_fault(request, problem, exc)
    view = problem_view(problem, language_of(request), trace_id_of(request))
    headers = {**problem.headers, **UNKEPT, "Content-Language": language_of(request)}
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(msgspec.json.encode(view), status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def problem_view(problem: Problem, language: Language, trace_id: str) -> ProblemView:
    """What the reader gets of a problem."""
    params = {name: value for name, value in problem.params.items() if name != "errors"}
    both = {each: message(problem.code, params, each) for each in ("vi", "en")}
    said = both[language]
    errors = problem.params.get("errors")
    return ProblemView(
        type=f"urn:sandulieu:problem:{problem.code}",
        title=said.what,
        status=problem.status,
        detail=said.why,
        code=problem.code,
        next=said.next,
        trace_id=trace_id,
        messages=both,
        reasons=tuple(_reason(each, language) for each in problem.reasons),
        params=params,
        position=Position(params["line"], params["column"]) if {"line", "column"} <= params.keys() else None,
        errors=tuple(_error(each, language) for each in errors) if errors else None,
        decision=getattr(problem, "decision", None),
        nearest=tuple(_change(each, language) for each in getattr(problem, "nearest", ())),
    )


def problem_of(exc: Exception, names: Mapping[str, str] = {}) -> Problem:
    """The problem that an exception is to its caller. `names`: as `wrong_field` takes them."""
    if isinstance(exc, ExceptionGroup):  # what Litestar makes of an error on the way out of a dependency
        return problem_of(exc.exceptions[0], names)
    if isinstance(exc, Problem):
        return exc
    if isinstance(exc, HTTPException):
        return _of_litestar(exc, names)
    if isinstance(exc, RecursionError):  # JSON nested deeper than the decoder goes; nobody was asked who sent it
        return _coded(Problem(), "request.invalid", 400)
    return _coded(Problem(), "internal", 500)


def trace_id_of(request: Request[Any, Any, State]) -> str:
    """32 hex digits that name this request in logs and answers: the caller's traceparent, else our own."""
    state: dict[str, Any] = request.scope["state"]
    if "trace_id" not in state:
        given = _TRACEPARENT.match(request.headers.get("traceparent", ""))
        state["trace_id"] = given[1] if given else secrets.token_hex(16)
    trace_id: str = state["trace_id"]
    return trace_id


def language_of(request: Request[Any, Any, State]) -> Language:
    """English if Accept-Language puts it before Vietnamese, else Vietnamese."""
    for part in request.headers.get("accept-language", "").split(","):
        tag = part.split(";")[0].strip().lower()[:2]
        if tag in ("vi", "en"):
            return "vi" if tag == "vi" else "en"
    return "vi"


def tell_fault(request: Request[Any, Any, State], problem: Problem, exc: Exception) -> None:
    """A fault of ours, in the service's log; the path as text, for line ends in it would write lines there.

    Of what is only away or too busy it tells nothing where in the code that was, and to write it takes longer than
    the request: hundreds at once would keep the service from its work."""
    where = f"{request.method} {request.url.path!r}"
    if isinstance(problem, Unavailable):
        why = str(problem.__cause__ or "").partition("\n")[0]
        log.error("%s: %s %s (trace %s)", where, problem.code, why, trace_id_of(request))
        return
    log.error("%s: %s (trace %s)", where, problem.code, trace_id_of(request), exc_info=exc)


def _reason(reason: Reason, language: Language) -> ReasonView:
    both = {each: told(reason.code, reason.params, each) for each in ("vi", "en")}
    return ReasonView(
        code=reason.code, severity=reason.severity, params=reason.params, message=both[language], messages=both
    )


def _change(change: Change, language: Language) -> ChangeView:
    said = message(f"nearest.{change.code}", change.params, language)
    return ChangeView(code=change.code, params=change.params, message=said)


def _error(error: Mapping[str, Any], language: Language) -> Mapping[str, Any]:
    """A wrong field, with its text: `message` in the language asked for, `messages` in both."""
    both = {each: message(error["code"], error.get("params", {}), each) for each in ("vi", "en")}
    return {**error, "message": both[language], "messages": both}


def _of_litestar(exc: HTTPException, names: Mapping[str, str]) -> Problem:
    headers = {name.title(): value for name, value in (exc.headers or {}).items()}
    if isinstance(exc, ValidationException):
        wrong = exc.extra if isinstance(exc.extra, list) else []
        errors = [wrong_field(each, names) for each in wrong]
        return _coded(Problem(headers=headers, errors=errors), "request.invalid", 400)
    if exc.status_code == 400 or exc.detail == HUNG_UP:
        return _coded(Problem(headers=headers), "request.invalid", 400)
    if exc.status_code >= 500:
        return _coded(Problem(), BY_STATUS.get(exc.status_code, "internal"), exc.status_code)
    code = BY_STATUS.get(exc.status_code, "request.refused")
    problem = Problem(headers=headers, allowed=headers.get("Allow", ""), status=exc.status_code)
    return _coded(problem, code, exc.status_code)


def _coded(problem: Problem, code: str, status: int) -> Problem:
    problem.code, problem.status = code, status  # type: ignore[misc]
    return problem
