"""What may go wrong: each error carries the service's code and its words, in Vietnamese and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Language = str
Words = Mapping[str, Mapping[str, str]]
"""Language ("vi", "en") → what happened, why, what next."""
_PARTS = ("what", "why", "next")


_NOBODY = "auth.not_signed_in"
NO_TOKEN: Words = {
    "vi": {
        "what": "Chưa nêu mã truy cập (token).",
        "next": "Tạo một mã ở trang Mã truy cập (/tokens) rồi nêu connect(token=…) hoặc đặt SANDULIEU_TOKEN.",
    },
    "en": {
        "what": "No token was given.",
        "next": "Make one on the page Access tokens (/tokens), then say connect(token=…) or set SANDULIEU_TOKEN.",
    },
}
"""Nobody who writes Python sends headers."""


def said(words: Words, language: Language) -> str:
    """The sentences in that language, else in whichever there is."""
    chosen = words.get(language) or next(iter(words.values()), {})
    return " ".join(str(chosen[part]) for part in _PARTS if chosen.get(part))


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of a denial, and what cures it; or one field that is wrong, its path as `code`."""

    code: str
    words: Words
    params: Mapping[str, Any]


class SandulieuError(Exception):
    """Base of all. `code`: the service's word; `words`: both languages; `trace_id`: what to tell the operator."""

    def __init__(
        self, code: str, words: Words, *, language: Language = "vi", params: Mapping[str, Any] | None = None,
        reasons: tuple[Reason, ...] = (), trace_id: str = "",
    ) -> None:  # fmt: skip
        lines = [f"{code}: {said(words, language)}"]
        lines += [f"  - {reason.code}: {said(reason.words, language)}" for reason in reasons]
        super().__init__("\n".join(lines))
        self.code = code
        self.words = words
        self.params = params or {}
        self.reasons = reasons
        self.trace_id = trace_id


class Unreachable(SandulieuError):
    """The service did not answer."""


class Refused(SandulieuError):
    """The service said no: a token, a quote that expired, a thing that is not there."""


class Denied(Refused):
    """The policy said no; `reasons` says why and what would cure it."""


class Busy(Refused):
    """Too much at once, and still after waiting as told; `retry_after_s` is what the service asked for last."""

    retry_after_s: float = 0.0


class TooDear(SandulieuError):
    """The quote is above `max_vnd`; nothing ran."""


class AnswerFailed(SandulieuError):
    """The query ran and gave no answer, or was cancelled."""


class SqlRefused(Refused):
    """SQL that is not understood. `line` and `column` count from 1; `use`: what to write instead, if known."""

    line: int = 1
    column: int = 1
    word: str = ""
    use: str = ""

    def marked(self, sql: str) -> str:
        """The line of `sql` that is meant, with a caret under the word."""
        lines = sql.splitlines() or [""]
        line = lines[min(self.line, len(lines)) - 1]
        return f"{line}\n{' ' * (self.column - 1)}{'^' * max(len(self.word), 1)}"


def _wrong(given: Mapping[str, Any]) -> Reason:
    told = given["message"]
    words = given.get("messages") or {"": {"what": told} if isinstance(told, str) else told}
    return Reason(str(given["path"]), words, {})


def _reason(given: Mapping[str, Any]) -> Reason:
    return Reason(str(given["code"]), given.get("messages") or {"": given["message"]}, given.get("params") or {})


def error_of(status: int, problem: Mapping[str, Any], *, language: Language, retry_after_s: float = 0) -> Refused:
    """The error that an RFC 9457 problem of the service is."""
    code = str(problem.get("code") or f"http.{status}")
    kind = Denied if problem.get("reasons") else SqlRefused if status == 422 and code.startswith("sql.") else (
        Busy if status == 429 else Refused
    )  # fmt: skip
    words = (
        NO_TOKEN
        if code == _NOBODY
        else problem.get("messages") or {language: {"what": str(problem.get("title") or f"HTTP {status}")}}
    )
    reasons = tuple(_reason(one) for one in problem.get("reasons") or ())
    reasons += tuple(_wrong(one) for one in problem.get("errors") or ())
    params = problem.get("params") or {}
    error = kind(code, words, language=language, params=params, reasons=reasons,
                 trace_id=str(problem.get("trace_id") or ""))  # fmt: skip
    if isinstance(error, Busy):
        error.retry_after_s = retry_after_s
    if isinstance(error, SqlRefused):
        place = problem.get("position") or {}
        error.line, error.column = int(place.get("line", 1)), int(place.get("column", 1))
        error.word, error.use = str(params.get("word", "")), str(params.get("use", ""))
    return error
