"""Errors as pages: what happened, why, what next; in the same layout, or as the part that htmx asked for."""

from __future__ import annotations

import contextlib
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Response
from litestar.datastructures import URL
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap, HTTPScope, Receive, Send

from marketplace.accounts.callers import COOKIE, provide_presented
from marketplace.accounts.errors import TokenOnPage
from marketplace.errors import NotFound, NotSignedIn, Problem
from marketplace.web.explain import explain_errors, explain_problem, explain_reasons
from marketplace.web.headers import SECURITY
from marketplace.web.links import own_path
from marketplace.web.problems import problem_handler, problem_of, tell_fault
from marketplace.web.view import AnyRequest, View, view_of
from marketplace.web.wrong_fields import names_of

MACHINES: Final = ("/api/", "/schema", "/healthz", "/readyz", "/metrics", "/static/")
"""Below these, errors are problem+json; everywhere else a page."""


def problem_answer(request: AnyRequest, error: Exception) -> Response[Any]:
    """problem+json for programs, a page for people."""
    path = request.url.path
    if path.startswith("/static/") and problem_of(error).status >= 500:
        error = NotFound()  # a name that no file system takes: NUL in it, or too long
    if path.startswith(MACHINES) or "text/html" not in request.headers.get("accept", "text/html, */*"):
        return problem_handler(request, error)
    if request.method == "GET" and "sandulieu_caller" not in request.scope["state"] and COOKIE in request.cookies:
        return _Awaited(request, problem_of(error))
    return problem_page(request, error)


class _Awaited(Response[None]):
    """The page of an address that has no handler, so that nobody has asked yet who reads it."""

    def __init__(self, request: AnyRequest, problem: Problem) -> None:
        super().__init__(None, status_code=problem.status)
        self.request, self.problem = request, problem

    def to_asgi_response(self, *_: Any, **__: Any) -> Any:
        """Litestar awaits what is returned here, not the handler of errors."""
        return self._send

    async def _send(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        request = self.request
        with contextlib.suppress(Exception):  # a page without a menu of one's own is better than none
            await provide_presented(request, request.app.state.services.database)
        page = problem_page(request, self.problem)
        await page.to_asgi_response(None, request)(scope, receive, send)


def problem_page(request: AnyRequest, error: Exception) -> Response[Any]:
    """A page for an error; who is not signed in is led to the sign-in page and back, a program told of the API."""
    problem = problem_of(error, names_of(request))
    if isinstance(problem, NotSignedIn) and "authorization" in request.headers:
        return problem_handler(request, TokenOnPage())
    if problem.status >= 500:
        tell_fault(request, problem, error)
    view = view_of(request, request.scope["state"].get("sandulieu_caller"))
    if isinstance(problem, NotSignedIn) and request.method == "GET" and view.path != "/login":
        return _sign_in(request, view)
    sign_in = _login(_form_of(request)) if isinstance(problem, NotSignedIn) else None
    return _page(view, problem, sign_in)


def _sign_in(request: AnyRequest, view: View) -> Response[Any]:
    to = _login(_asked(request.url))
    answer: Response[Any]
    if view.partial:
        answer = Response(b"", status_code=200, headers={**SECURITY, "HX-Redirect": to})
    else:
        answer = Redirect(to, status_code=303, headers=SECURITY)
    answer.delete_cookie(COOKIE)
    return answer


def _login(next_path: str) -> str:
    return "/login?" + urlencode({"next": next_path})


def _asked(url: URL) -> str:
    return f"{url.path}?{url.query}" if url.query else url.path


def _form_of(request: AnyRequest) -> str:
    """The page on which the form that was sent stands."""
    page = URL(request.headers.get("hx-current-url") or request.headers.get("referer") or "")
    return own_path(_asked(page)) if page.netloc == request.url.netloc else "/"


def _page(view: View, problem: Problem, sign_in: str | None) -> Response[Any]:
    """`sign_in`: where to, for whom the session has ended."""
    page = view.page(
        "_problem.html" if view.partial else "problem.html",
        status=problem.status,
        problem=explain_problem(view, problem),
        reasons=explain_reasons(view, problem.reasons),
        errors=explain_errors(view, problem),
        sign_in=sign_in,
    )
    page.headers.update(problem.headers)
    return page


PROBLEM_HANDLERS: Final[ExceptionHandlersMap] = {Exception: problem_answer}
"""What the whole app answers errors with."""
