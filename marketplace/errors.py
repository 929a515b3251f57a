"""What every error of the service is: a code with texts vi/en, a status, and what to do next (RFC 9457)."""

from __future__ import annotations

from typing import Any, ClassVar

from policies.decision import Reason


class Problem(Exception):
    """Base of all errors a caller may see. `code` has a text in `marketplace/texts/*.json`."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "problem"

    def __init__(self, *, reasons: tuple[Reason, ...] = (), headers: dict[str, str] | None = None,
                 **params: Any) -> None:  # fmt: skip
        super().__init__(self.code)
        self.params = params
        self.reasons = reasons
        self.headers = headers or {}


class NotSignedIn(Problem):
    status = 401
    code = "auth.not_signed_in"


class Forbidden(Problem):
    status = 403
    code = "auth.forbidden"


class NotFound(Problem):
    """Also the answer for another tenant's thing: it must not be told apart from nothing."""

    status = 404
    code = "not_found"


class Invalid(Problem):
    """`errors`: [{"path", "code", "params"}]."""

    status = 400
    code = "request.invalid"


class Conflict(Problem):
    status = 409
    code = "conflict"


class Unavailable(Problem):
    status = 503
    code = "service.unavailable"
