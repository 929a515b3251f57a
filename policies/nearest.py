"""The nearest request that is allowed: the same question with the fewest changes, decided before it is offered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations, product
from typing import Any, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from policies.decision import AccessQuestion, Decision
from policies.engine import Engine
from policies.purposes import known

Kind = Literal["columns.drop", "purpose.choose", "wait", "limit.raise", "wallet.credit", "owner.judge"]
DECISIONS: Final = 60
"""At most so many candidates are decided: some 20 ms of the module, and what a denial may cost."""


class Change(Struct, frozen=True, kw_only=True):
    """One thing to be done, with the values that its text `nearest.<code>` names."""

    code: Kind
    params: dict[str, Any]


class Nearest(Struct, frozen=True, kw_only=True):
    """What to change, the question that comes of it, and the decision that allows it."""

    changes: tuple[Change, ...]
    question: AccessQuestion
    decision: Decision


Option = tuple[Change, Callable[[AccessQuestion], AccessQuestion]]


async def nearest(engine: Engine, question: AccessQuestion) -> Nearest | None:
    """With the fewest changes, in the order of `Kind`; None if nothing helps that the asker can do or await."""
    left = DECISIONS
    options = [found for found in (tuple(of(question)) for of in KINDS.values()) if found]
    for count in range(1, len(options) + 1):
        for kinds in combinations(options, count):
            for chosen in product(*kinds):
                if not left:
                    return None
                left -= 1
                changed = question
                for _, make in chosen:
                    changed = make(changed)
                decision = await engine.decide(changed)
                if decision.allow:
                    return Nearest(changes=tuple(c for c, _ in chosen), question=changed, decision=decision)
    return None


def _columns(question: AccessQuestion) -> Iterator[Option]:
    """Without what was not agreed or is gone; also without what is sensitive; without all that is personal."""
    asked, dataset = question.request.columns or (), question.dataset
    limits = question.agreement.limits or {}
    may = set(question.agreement.columns or ()) & set(dataset.columns or ()) & set(limits.get("columns", asked))
    wrong = set(asked) - may
    tried: set[tuple[str, ...]] = {asked}
    sensitive = dataset.sensitive_columns or ()
    for more in ((), sensitive, (*sensitive, *(dataset.basic_columns or ()))):
        kept = tuple(column for column in asked if column not in wrong | set(more))
        if kept not in tried:
            tried.add(kept)
            dropped = [column for column in asked if column not in kept]
            yield (
                Change(code="columns.drop", params={"columns": dropped}),
                lambda q, kept=kept: replace(q, request=replace(q.request, columns=kept)),  # type: ignore[misc]
            )


def _purposes(question: AccessQuestion) -> Iterator[Option]:
    for purpose, about in known().items():
        if purpose != question.request.purpose and question.agreement.purpose in (purpose, *about.within):
            yield (
                Change(code="purpose.choose", params={"purpose": purpose}),
                lambda q, purpose=purpose: replace(q, request=replace(q.request, purpose=purpose)),  # type: ignore[misc]
            )


def _instants(question: AccessQuestion) -> Iterable[Option]:
    begins = question.agreement.valid_from_ms
    if begins is None or begins <= question.at_ms:
        return ()
    return ((Change(code="wait", params={"at_ms": begins}), lambda q: replace(q, at_ms=begins)),)


def _limits(question: AccessQuestion) -> Iterable[Option]:
    price, limit = question.request.price_vnd, question.request.max_vnd
    if price is None or limit is None or price <= limit:
        return ()
    change = Change(code="limit.raise", params={"max_vnd": price})
    return ((change, lambda q: replace(q, request=replace(q.request, max_vnd=price))),)


def _credits(question: AccessQuestion) -> Iterable[Option]:
    price, available = question.request.price_vnd, question.wallet.available_vnd
    if price is None or available is None or price <= available:
        return ()
    change = Change(code="wallet.credit", params={"missing_vnd": price - available})
    return ((change, lambda q: replace(q, wallet=replace(q.wallet, available_vnd=price))),)


def _judgements(question: AccessQuestion) -> Iterable[Option]:
    if question.agreement.purpose_judged is not False:
        return ()
    change = Change(code="owner.judge", params={"purpose": question.request.purpose})
    return ((change, lambda q: replace(q, agreement=replace(q.agreement, purpose_judged=True))),)


KINDS: Final[dict[Kind, Callable[[AccessQuestion], Iterable[Option]]]] = {
    "columns.drop": _columns,
    "purpose.choose": _purposes,
    "wait": _instants,
    "limit.raise": _limits,
    "wallet.credit": _credits,
    "owner.judge": _judgements,
}
