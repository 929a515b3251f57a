"""dp mode: what a query would spend of its agreement's budget, and the answer that was bought before.

The same question is the same plan, over the same version, revision, own tables and purpose, with the same ρ. Its
answer is kept for its agreement alone and given again for nothing: to add fresh noise would tell more.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from msgspec import UNSET, Struct
from sqlalchemy import text

from catalog.version import Privacy, Version
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.db.together import Statement
from marketplace.own.schemas import OwnSchema
from marketplace.queries.chunks import ChunkBroken, unwrap, wrap
from marketplace.queries.facts import Facts
from policies.decision import BudgetFacts
from sandbox.disclosure.noise import MICRO, Budget, epsilon_of
from sandbox.disclosure.release import margins, threshold
from sandbox.job import OutputColumn, Result
from sandbox.plan.plan import Plan
from sandbox.plan.render import render
from sandbox.run import Spending

logger = logging.getLogger(__name__)

_STORED = text(
    "select query_id, body, rows from private_answer where agreement_id = :agreement and question = :question"
)
_STORE = text("""
insert into private_answer (agreement_id, question, query_id, body, rows, created_at)
values (:agreement, :question, :query, :body, :rows, now())
on conflict (agreement_id, question) do update
    set query_id = excluded.query_id, body = excluded.body, rows = excluded.rows, created_at = excluded.created_at
""")
"""A row that is there already could not be read, or was bought at the same time: the newest stays."""
_DIGITS = 4
"""Of an ε that is shown and decided on: engines write longer fractions each in its own way."""


class Answer(Struct, frozen=True, kw_only=True):
    stream: bytes
    rows: int


class Spend(Struct, frozen=True, kw_only=True):
    """What a query spends. `question`: what makes two the same. `stored`: its answer, then it spends nothing."""

    rho_micro: int
    epsilon: float
    delta: float
    spending: Spending
    question: bytes
    stored: Answer | None

    @property
    def cost_micro(self) -> int:
        return 0 if self.stored else self.rho_micro


class Margin(Struct, frozen=True, kw_only=True):
    """Half the width of a column's 95% interval, where it does not depend on the data."""

    column: str
    margin: float


class PrivacyView(Struct, frozen=True, kw_only=True):
    """What a query tells of one person at most, and how exact it will be. `stored`: it was answered before.

    `least_count`: groups nobody declared are shown from about this many persons on."""

    rho_micro: int
    epsilon: float
    delta: float
    left_micro: int
    stored: bool
    margins: tuple[Margin, ...]
    least_count: int | None


def privacy_of(version: Version | None) -> Privacy | None:
    """The lineage's budget; None in the other modes."""
    return None if version is None or version.privacy is UNSET else version.privacy


def shown_epsilon(rho_micro: int, privacy: Privacy) -> float:
    """ε with the lineage's δ, half of which is kept for the presence of groups nobody declared."""
    return round(epsilon_of(rho_micro / MICRO, privacy.delta / 2), _DIGITS)


async def spend_of(
    database: Database, keys: Keys, facts: Facts, version: Version | None, plan: Plan | None,
    own: Sequence[OwnSchema], *, purpose: str, rho_micro: int,
) -> Spend | None:  # fmt: skip
    """None in the other modes. `own`: tables of the startup's that the plan may read."""
    privacy = privacy_of(version)
    if privacy is None or version is None or plan is None or plan.release is None:
        return None
    # An own table never changes: sent anew under the same name, it has another id.
    sources = {facts.slug: [facts.slug]} | {each.name: [str(each.id)] for each in own}
    question = _question(facts, version, plan, sources, purpose, rho_micro)
    row = await database.one(_STORED, {"agreement": facts.agreement_id, "question": question})
    stored = _opened(keys, row) if row else None
    # δ in step with ρ: all queries of a lineage together stay below its half, as their ρ stays below its cap.
    delta = privacy.delta / 2 * rho_micro / privacy.rho_cap_micro
    budget = Budget(rho=rho_micro / MICRO, delta=delta)
    return Spend(
        rho_micro=rho_micro,
        epsilon=0.0 if stored else shown_epsilon(rho_micro, privacy),
        delta=privacy.delta,
        spending=Spending(budget=budget, persons_at_most=privacy.persons_at_most),
        question=question,
        stored=stored,
    )


def _opened(keys: Keys, row: Any) -> Answer | None:
    """One that cannot be read was never bought."""
    try:
        return Answer(stream=unwrap(keys.answer_seal(), row.query_id, bytes(row.body)), rows=row.rows)
    except ChunkBroken:
        logger.error("the answer of query %s cannot be read to be given again", row.query_id)
        return None


def budget_facts(facts: Facts, version: Version | None, spend: Spend | None) -> BudgetFacts | Any:
    """For the decision; UNSET in the other modes. What is not known stays None and denies."""
    if privacy_of(version) is None:
        return UNSET
    return BudgetFacts(
        cost_micro=spend.cost_micro if spend else None,
        left_micro=facts.rho_left_micro,
        epsilon=spend.epsilon if spend else None,
    )


def budget_unread(facts: Facts, version: Version | None, rho_micro: int) -> BudgetFacts | Any:
    """The same for SQL that is not understood: nothing of it can run, but what it would spend is known."""
    privacy = privacy_of(version)
    if privacy is None:
        return UNSET
    return BudgetFacts(
        cost_micro=rho_micro, left_micro=facts.rho_left_micro, epsilon=shown_epsilon(rho_micro, privacy)
    )


def stored_as(spend: Spend, keys: Keys, *, agreement_id: UUID, query_id: UUID, answer: Result) -> Statement:
    """Keeps an answer that was paid for, sealed."""
    return Statement(
        _STORE,
        {
            "agreement": agreement_id,
            "question": spend.question,
            "query": query_id,
            "body": wrap(keys.answer_seal(), query_id, answer.stream),
            "rows": answer.rows,
        },
    )


def view(facts: Facts, plan: Plan, spend: Spend) -> PrivacyView:
    """For a quote."""
    assert plan.release is not None  # what spends has a release
    shown = _shown(plan.output, margins(plan.release, spend.spending.budget.rho))
    return PrivacyView(
        rho_micro=spend.cost_micro,
        epsilon=spend.epsilon,
        delta=spend.delta,
        left_micro=facts.rho_left_micro or 0,
        stored=spend.stored is not None,
        margins=shown,
        least_count=threshold(plan.release, spend.spending.budget, spend.spending.persons_at_most),
    )


def _shown(output: tuple[OutputColumn, ...], found: list[tuple[int, float]]) -> tuple[Margin, ...]:
    return tuple(Margin(column=output[place].name, margin=margin) for place, margin in found)


def _question(
    facts: Facts, version: Version, plan: Plan, sources: Mapping[str, Sequence[str]], purpose: str, rho_micro: int
) -> bytes:
    assert plan.release is not None
    # The jail's columns are the measures; what the broker makes of them stands apart.
    exact = render(replace(plan, output=plan.release.measured), sources)
    said = (
        version.id, str(facts.revision), purpose, str(rho_micro), exact, repr(plan.release), repr(plan.output),
    )  # fmt: skip
    return hashlib.sha256("\0".join(said).encode()).digest()
