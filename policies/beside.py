"""Several datasets in one query: each is decided by itself, then beside the others, so that the stricter holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from policies.decision import AccessQuestion, Beside, Decision, Obligations
from policies.engine import Engine
from policies.nearest import Change, nearest


class Decided(Struct, frozen=True, kw_only=True):
    """`question`: as it was put last, with what stands beside it."""

    question: AccessQuestion
    decision: Decision


class Step(Struct, frozen=True, kw_only=True):
    """A change, and the place of the question that needs it."""

    place: int
    change: Change


async def decide_all(engine: Engine, questions: Sequence[AccessQuestion]) -> tuple[Decided, ...]:
    """A decision on each dataset of a query, in the same order; the query may run if all of them allow it.

    Where each is allowed alone, each is asked again with all others beside it, whatever their order: the meet of
    obligations and the class of all together hold for every one.
    """
    alone = [Decided(question=each, decision=await engine.decide(each)) for each in questions]
    if len(alone) == 1 or not all(each.decision.allow for each in alone):
        return tuple(alone)
    seen = [_beside(each) for each in alone]
    found = []
    for place, each in enumerate(alone):
        others = (*seen[:place], *seen[place + 1 :])
        asked = replace(each.question, request=replace(each.question.request, beside=others))
        found.append(Decided(question=asked, decision=await engine.decide(asked)))
    return tuple(found)


async def nearest_all(engine: Engine, questions: Sequence[AccessQuestion]) -> tuple[Step, ...]:
    """The changes after which the query is allowed; none if nothing helps. What one dataset needs of the whole
    request (purpose, instant, limit, credit) holds for all; what comes of it is decided before it is offered."""
    changed = [replace(each, request=replace(each.request, beside=())) for each in questions]
    steps: list[Step] = []
    for place in range(len(changed)):
        if (await engine.decide(changed[place])).allow:
            continue
        found = await nearest(engine, changed[place])
        if found is None:
            return ()
        steps += [Step(place=place, change=change) for change in found.changes]
        changed[place] = found.question
        changed = [_as_requested(other, found.question) for other in changed]
    decided = await decide_all(engine, changed)
    return tuple(steps) if all(each.decision.allow for each in decided) else ()


def _as_requested(question: AccessQuestion, by: AccessQuestion) -> AccessQuestion:
    """With all that a request says of every dataset alike, as `by` has it."""
    request = replace(question.request, purpose=by.request.purpose, max_vnd=by.request.max_vnd)
    return replace(question, at_ms=by.at_ms, request=request, wallet=by.wallet)


def _beside(decided: Decided) -> Beside:
    dataset, obligations = decided.question.dataset, decided.decision.obligations
    assert obligations is not None  # it was allowed
    columns = decided.question.request.columns or ()
    return Beside(
        obligations=_of_all(obligations, decided.question.agreement.limits or {}),
        persons=dataset.persons or 0,
        disclosed=dataset.legal_basis == "public",
        basic=_any(columns, dataset.basic_columns),
        sensitive=_any(columns, dataset.sensitive_columns),
    )


def _of_all(obligations: Obligations, granted: Mapping[str, Any]) -> dict[str, Any]:
    """What the others have to keep too. A version's mode and k are its own, as its columns and filters of its
    records are: each dataset is read in its mode, in whole cohorts of its k, through its own filters. The k that
    an owner demands of an agreement is demanded of all."""
    said: dict[str, Any] = msgspec.to_builtins(obligations)
    del said["mode"], said["row_filter"]
    said["k_min"] = granted.get("k_min")
    return said


def _any(columns: Collection[str], of_a_class: Collection[str] | None) -> bool:
    return not set(columns).isdisjoint(of_a_class or ())
