"""A question told gate by gate before anybody pays for it: nothing is held, run or stored."""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec import Struct

from marketplace.accounts.callers import Caller
from marketplace.audit.receipt import opens
from marketplace.queries.prepare import prepare
from marketplace.queries.schemas import Ask
from marketplace.queries.services import Services
from marketplace.texts import LANGUAGES, Language, Message, message
from policies.decision import Decision, Question, Reason
from policies.explaining import Gate, GateText, explained, fact

Messages = dict[Language, Message]


class FactView(Struct, frozen=True, kw_only=True):
    """A fact that the gate looked at. `shown`: whether the caller may see its value; None is a missing fact."""

    name: str
    shown: bool
    value: Any


class GateView(Struct, frozen=True, kw_only=True):
    """As `policies.explaining.Gate`. `messages`: for each reason against it, what, why and what next."""

    code: str
    holds: bool | None
    text: GateText
    law: tuple[str, ...]
    facts: tuple[FactView, ...]
    messages: tuple[Messages, ...]


class ExplainView(Struct, frozen=True, kw_only=True):
    """The decision as a query would get it now, gate by gate; `messages`: of reasons that are no gate's own."""

    decision: Decision
    gates: tuple[GateView, ...]
    messages: tuple[Messages, ...]


async def explain(services: Services, caller: Caller, ask: Ask) -> ExplainView:
    """Shows the facts that a startup's receipt opens. Raises NotFound, OneAgreement, SqlNotUnderstood."""
    prepared = await prepare(services, caller, ask)
    # In a thread, because the first time it reads the METADATA of every rule.
    told = await asyncio.to_thread(explained, prepared.decision)
    return ExplainView(
        decision=prepared.decision,
        gates=tuple(_view(gate, prepared.question) for gate in told.gates),
        messages=_messages(told.reasons),
    )


def _view(gate: Gate, question: Question) -> GateView:
    return GateView(
        code=gate.code,
        holds=gate.holds,
        text=gate.text,
        law=gate.law,
        facts=tuple(_fact(name, question) for name in gate.facts),
        messages=_messages(gate.reasons),
    )


def _messages(reasons: tuple[Reason, ...]) -> tuple[Messages, ...]:
    return tuple(
        {language: message(each.code, each.params, language) for language in LANGUAGES} for each in reasons
    )


def _fact(name: str, question: Question) -> FactView:
    shown = opens("startup", name.partition(".")[0])
    return FactView(name=name, shown=shown, value=fact(question, name) if shown else None)
