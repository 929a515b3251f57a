"""A decision told gate by gate: of a question before anybody pays for it, or of one that was decided before."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from marketplace.accounts.callers import Caller
from marketplace.audit.receipt import Edition, opens
from marketplace.queries.denials import question_kept
from marketplace.queries.prepare import prepare
from marketplace.queries.schemas import Ask
from marketplace.queries.services import Services
from marketplace.texts import LANGUAGES, Language, Message, message
from policies.decision import AccessQuestion, Decision, Reason
from policies.explaining import DOCUMENT, Gate, GateText, explained, fact
from policies.nearest import Change, nearest

Messages = dict[Language, Message]
OFFERED: Final[frozenset[Edition]] = frozenset({"startup", "regulator"})
"""Who is told the nearest request: its changes name what the wallet lacks and the limit, which no owner sees."""


class FactView(Struct, frozen=True, kw_only=True):
    """A fact that the gate looked at. `shown`: whether the caller may see its value; None is a missing fact."""

    name: str
    shown: bool
    value: Any


class GateView(Struct, frozen=True, kw_only=True):
    """As `policies.explaining.Gate`. `messages`: for each reason against it, what, why and what next; `remedies`:
    what cures it, each once."""

    code: str
    holds: bool | None
    text: GateText
    law: tuple[str, ...]
    facts: tuple[FactView, ...]
    messages: tuple[Messages, ...]
    remedies: tuple[Messages, ...]


class StepView(Struct, frozen=True, kw_only=True):
    """One of the fewest changes after which the question is allowed."""

    code: str
    params: Mapping[str, Any]
    messages: Messages


class ExplainView(Struct, frozen=True, kw_only=True):
    """The decision gate by gate; `messages`: of reasons that are no gate's own. `at_ms`: the instant it is of,
    None if its facts were erased."""

    decision: Decision
    at_ms: int | None
    gates: tuple[GateView, ...]
    messages: tuple[Messages, ...]
    nearest: tuple[StepView, ...]


async def explain(services: Services, caller: Caller, ask: Ask) -> ExplainView:
    """As a query would be decided now on the dataset of the first agreement named. Holds, runs, stores and logs
    nothing; shows the facts that a startup's receipt opens. Raises as `prepare`, and AllowanceSpent."""
    async with services.understanding.for_nothing(caller.organisation_id, ask.sql):
        prepared = await prepare(services, caller, ask)
        line = next(each for each in prepared.lines if each.facts.agreement_id == ask.agreement_ids[0])
        return await _told(services, line.decision, line.question, edition="startup")


async def explain_decided(
    services: Services, decision_id: UUID, logged: Mapping[str, Any], *, edition: Edition
) -> ExplainView:
    """As it was decided then; `logged`: the decision in an event that the caller may see. Shows the facts that the
    edition opens. What to change is looked for by the policy of today."""
    question = await question_kept(services, decision_id)
    # The log leaves out the hash; obligations may be of another time's form, and the event shows them.
    decision = msgspec.convert({**logged, "facts_hash": "", "obligations": None}, Decision)
    return await _told(services, decision, question, edition=edition)


async def _told(
    services: Services, decision: Decision, question: AccessQuestion | None, *, edition: Edition
) -> ExplainView:
    # In a thread, because the first time it reads the METADATA of every rule.
    told = await asyncio.to_thread(explained, decision)
    offered = None
    if question is not None and not decision.allow and edition in OFFERED:
        offered = await nearest(services.engine, question)
    return ExplainView(
        decision=decision,
        at_ms=question.at_ms if question else None,
        gates=tuple(_view(gate, question, edition) for gate in told.gates),
        messages=_messages(told.reasons),
        nearest=tuple(_step(change) for change in offered.changes) if offered else (),
    )


def _view(gate: Gate, question: AccessQuestion | None, edition: Edition) -> GateView:
    remedies = dict.fromkeys(reason.remedy for reason in gate.reasons if reason.remedy)
    return GateView(
        code=gate.code,
        holds=gate.holds,
        text=gate.text,
        law=gate.law,
        facts=tuple(_fact(name, question, edition) for name in gate.facts),
        messages=_messages(gate.reasons),
        remedies=tuple(_message(f"remedy.{remedy}", {}) for remedy in remedies),
    )


def _messages(reasons: tuple[Reason, ...]) -> tuple[Messages, ...]:
    return tuple(_message(each.code, each.params) for each in reasons)


def _message(code: str, params: Mapping[str, Any]) -> Messages:
    return {language: message(code, params, language) for language in LANGUAGES}


def _step(change: Change) -> StepView:
    messages = _message(f"nearest.{change.code}", change.params)
    return StepView(code=change.code, params=change.params, messages=messages)


def _fact(name: str, question: AccessQuestion | None, edition: Edition) -> FactView:
    shown = question is not None and opens(DOCUMENT, edition, name)
    return FactView(name=name, shown=shown, value=fact(question, name) if question and shown else None)
