"""From what an engine said to a Decision. Whatever cannot be read is a denial (invariant 2)."""

from __future__ import annotations

import hashlib

import msgspec
from msgspec import Struct

from policies.decision import Decision, Obligations, Question, Reason

LAW = "data-law-60-2024.42"
REMEDY = "operator.tell"


class Said(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rule `decision` of each document."""

    allow: bool
    reasons: tuple[Reason, ...]
    valid_until: int
    obligations: Obligations | None


class Asked(Struct, frozen=True, kw_only=True):
    """A question on its way: its canonical JSON, and who is asked."""

    canonical: bytes
    engine: str
    revision: str


def canonical(question: Question) -> bytes:
    """JSON with sorted keys and no blanks; its SHA-256 is the decision's `facts_hash`. Empty: it has no JSON."""
    try:
        return msgspec.json.encode(question, order="sorted")
    except (TypeError, UnicodeError, RecursionError):
        return b""


def decision_of(said: object, asked: Asked) -> Decision:
    """The decision; an undecodable one, an unknown obligation or a contradiction denies."""
    try:
        read = msgspec.convert(said, Said)
    except msgspec.ValidationError:
        return denial("policy.answer_not_understood", asked)
    denies = [reason for reason in read.reasons if reason.severity == "deny"]
    if read.allow == bool(denies) or read.allow != (read.obligations is not None):
        return denial("policy.answer_not_understood", asked)
    reasons = tuple(sorted(map(_plain, read.reasons), key=_order))
    return _decision(
        asked, allow=read.allow, reasons=reasons, until=read.valid_until, obligations=read.obligations
    )


def denial(code: str, asked: Asked, **params: object) -> Decision:
    """A denial that the engine's own state gives: silence is one (law: the exchange's own rules)."""
    return denied(fault(code, **params), asked)


def fault(code: str, **params: object) -> Reason:
    """Why an engine itself denies."""
    return Reason(code=code, params=params, law=LAW, remedy=REMEDY)


def denied(reason: Reason, asked: Asked) -> Decision:
    """A denial for this one reason."""
    return _decision(asked, allow=False, reasons=(reason,), until=0, obligations=None)


def _plain(reason: Reason) -> Reason:
    """Engines name the parameters of a reason each in its own order; one decision has one."""
    params = msgspec.json.decode(msgspec.json.encode(reason.params, order="deterministic"))
    return msgspec.structs.replace(reason, params=params)


def _order(reason: Reason) -> tuple[str, bytes]:
    """Engines order a set of objects each in its own way; one decision has one order."""
    return reason.code, msgspec.json.encode(reason.params, order="deterministic")


def _decision(
    asked: Asked, *, allow: bool, reasons: tuple[Reason, ...], until: int, obligations: Obligations | None
) -> Decision:
    return Decision(
        allow=allow,
        reasons=reasons,
        policy_revision=asked.revision,
        engine=asked.engine,
        facts_hash=hashlib.sha256(asked.canonical).hexdigest(),
        valid_until=until,
        obligations=obligations,
    )
