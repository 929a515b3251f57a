"""A decision gate by gate, ready for the template: facts and laws in the reader's words."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from marketplace.db.base import ms_of, utcnow
from marketplace.queries.explain import ExplainView, FactView, GateView, Messages
from marketplace.texts import Message, purpose_named, show
from marketplace.web.figures import instant
from marketplace.web.templating import known
from marketplace.web.view import View
from policies.laws import law_at

NAMED: Final = {
    "dataset.mode": "mode.",
    "dataset.legal_basis": "legal_basis.",
    "caller.organisation_kind": "kind.",
}
"""Facts whose values have words of their own, and how the keys of these begin."""
PURPOSES: Final = frozenset(
    {"agreement.purpose", "request.purpose", "dataset.purposes", "dataset.consented_purposes"}
)


class LawShown(Struct, frozen=True, kw_only=True):
    """`article` and `value` are None where no entry is in force."""

    id: str
    article: str | None
    value: str | None


class FactShown(Struct, frozen=True, kw_only=True):
    """`value` None: not for this reader."""

    name: str
    value: str | None


class GateShown(Struct, frozen=True, kw_only=True):
    """`state`: passed | failed | quiet (nothing was said against it)."""

    code: str
    state: str
    text: str
    facts: tuple[FactShown, ...]
    laws: tuple[LawShown, ...]
    reasons: tuple[Message, ...]
    remedies: tuple[Message, ...]


class Why(Struct, frozen=True, kw_only=True):
    """What failed stands first. `reasons`: those that are no gate's own."""

    allowed: bool
    told: ExplainView
    failed: tuple[GateShown, ...]
    others: tuple[GateShown, ...]
    reasons: tuple[Message, ...]
    nearest: tuple[Message, ...]


def why(view: View, told: ExplainView) -> Why:
    """In the reader's language; laws as they were in force at the instant of the decision."""
    at_ms = told.at_ms if told.at_ms is not None else ms_of(utcnow())
    gates = [_gate(view, gate, at_ms) for gate in told.gates]
    return Why(
        allowed=told.decision.allow,
        told=told,
        failed=tuple(gate for gate in gates if gate.state == "failed"),
        others=tuple(gate for gate in gates if gate.state != "failed"),
        reasons=_said(view, told.messages),
        nearest=tuple(step.messages[view.language] for step in told.nearest),
    )


def _gate(view: View, gate: GateView, at_ms: int) -> GateShown:
    return GateShown(
        code=gate.code,
        state={True: "passed", False: "failed", None: "quiet"}[gate.holds],
        text=view.either(gate.text.vi, gate.text.en),
        facts=tuple(_fact(view, fact) for fact in gate.facts),
        laws=tuple(_law(view, id, at_ms) for id in gate.law),
        reasons=_said(view, gate.messages),
        remedies=_said(view, gate.remedies),
    )


def _said(view: View, messages: tuple[Messages, ...]) -> tuple[Message, ...]:
    return tuple(each[view.language] for each in messages)


def _law(view: View, id: str, at_ms: int) -> LawShown:
    law = law_at(id, at_ms)
    words = law.words(view.language) if law else None
    return LawShown(id=id, article=words.article if words else None, value=words.value if words else None)


def _fact(view: View, fact: FactView) -> FactShown:
    value = _value(view, fact.name, fact.value) if fact.shown else None
    return FactShown(name=fact.name, value=value)


def _value(view: View, name: str, value: Any) -> str:
    if value is None:
        return view.say("why.no_value")
    if isinstance(value, bool):
        return view.say("why.yes") if value else view.say("why.no")
    if name.endswith("_ms"):
        return instant(value, view.language)
    if isinstance(value, dict):
        told = [f"{key} = {_value(view, key, each)}" for key, each in value.items()]
        return ", ".join(told) or view.say("why.nothing")
    if isinstance(value, list | tuple):
        return ", ".join(_value(view, name, each) for each in value) or view.say("why.nothing")
    if name in PURPOSES:
        return purpose_named(str(value), view.language)
    words = NAMED.get(name, "") + str(value)
    return view.say(words) if name in NAMED and known(words) else show(value, view.language)
