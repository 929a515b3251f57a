"""A dry run: what a question would read and cost, and all that stands against it. Nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from marketplace.accounts.callers import Caller
from marketplace.calendar import month_of
from marketplace.db.base import utcnow
from marketplace.queries.errors import (
    AgreementUnpaid,
    Alone,
    NothingListed,
    NotNeeded,
    RhoTooSmall,
    SqlNotUnderstood,
    TimeTells,
)
from marketplace.queries.execute import limits_of
from marketplace.queries.lines import Line, together
from marketplace.queries.prepare import (
    Prepared,
    facts_of,
    gathered,
    lines_of,
    require_paid,
    require_private,
    understand,
    versions_of,
)
from marketplace.queries.privacy import PrivacyView
from marketplace.queries.schemas import Ask, OutputView
from marketplace.queries.services import Services
from marketplace.spending.counting import require_within, would_spend
from marketplace.spending.errors import LimitReached, PriceMoved
from marketplace.texts import LANGUAGES, Language, Message, message
from policies.decision import Decision


class Refusal(Struct, frozen=True, kw_only=True):
    """One thing that stands against the question. Of SQL, `params` has line, column and word."""

    code: str
    params: Mapping[str, Any]
    messages: Mapping[Language, Message]


class DryLine(Struct, frozen=True, kw_only=True):
    """One dataset. `records_left`: that may still leave under the agreement, None where none do."""

    agreement_id: UUID
    dataset: str
    mode: str | None
    version_id: str | None
    reads: tuple[str, ...]
    bytes: int
    price_vnd: int
    records_left: int | None


class DryLimits(Struct, frozen=True, kw_only=True):
    """Above which it would fail, at its quote."""

    max_rows: int
    max_bytes: int
    deadline_ms: int
    memory_bytes: int


class DryRunView(Struct, frozen=True, kw_only=True):
    """`would_run`: nothing stands against it now. Where the SQL is not understood, no column is read and the
    decision is on the rest. `limits` None: it may not run."""

    would_run: bool
    refusals: tuple[Refusal, ...]
    decision: Decision
    price_vnd: int
    bytes: int
    lines: tuple[DryLine, ...]
    columns: tuple[OutputView, ...]
    limits: DryLimits | None
    privacy: PrivacyView | None = None
    """In dp mode, as a quote says it; None too where the SQL is not understood."""


async def dry_run(services: Services, caller: Caller, ask: Ask) -> DryRunView:
    """As a query would be decided now. Holds, runs, stores and logs nothing, and looks at no record.

    Raises NotFound, SameDataset: it is not clear then what is asked about; AllowanceSpent.
    """
    async with services.understanding.for_nothing(caller.organisation_id, ask.sql):
        return await _dry_run(services, caller, ask)


async def _dry_run(services: Services, caller: Caller, ask: Ask) -> DryRunView:
    facts = await facts_of(services, caller, ask)
    versions = versions_of(services, facts)
    refusals, prepared = [], None
    try:
        require_paid(facts)
    except AgreementUnpaid as refused:
        refusals.append(_refusal(refused.code, refused.params))
    try:
        require_private(services, ask, versions)
    except (TimeTells, RhoTooSmall) as refused:
        refusals.append(_refusal(refused.code, refused.params))
    try:
        plan = await understand(services, caller, ask.sql, facts, versions)
    except (SqlNotUnderstood, Alone, NotNeeded, NothingListed) as refused:
        refusals.append(_refusal(refused.code, refused.params))
        lines = await lines_of(services, caller, ask, facts, None)
    else:
        lines = await lines_of(services, caller, ask, facts, plan)
        prepared = gathered(services, ask, facts, plan, lines)
    decision = together(lines)
    refusals += [_refusal(each.code, each.params) for each in decision.reasons if each.severity == "deny"]
    refusals += await _over_limits(services, caller, lines)
    return DryRunView(
        would_run=decision.allow and not refusals,
        refusals=tuple(refusals),
        decision=decision,
        price_vnd=sum(line.price_vnd for line in lines),
        bytes=sum(line.bytes for line in lines),
        lines=tuple(_line(line) for line in lines),
        columns=tuple(OutputView(name=c.name, type=c.type) for c in prepared.plan.output) if prepared else (),
        limits=_limits(services, prepared) if prepared and decision.allow else None,
        privacy=prepared.privacy if prepared else None,
    )


async def _over_limits(services: Services, caller: Caller, lines: Sequence[Line]) -> list[Refusal]:
    """The startup's own spending limits."""
    asked = would_spend(
        [each.counted() for each in lines],
        organisation_id=caller.organisation_id,
        person_id=caller.person_id,
        month=month_of(utcnow()),
    )
    try:
        require_within(await services.database.all(asked.sql, asked.parameters))
    except LimitReached as reached:
        return [_refusal(reached.code, reached.params)]
    except PriceMoved:  # between the facts and now
        pass
    return []


def _refusal(code: str, params: Mapping[str, Any]) -> Refusal:
    return Refusal(
        code=code, params=params, messages={each: message(code, dict(params), each) for each in LANGUAGES}
    )


def _line(line: Line) -> DryLine:
    return DryLine(
        agreement_id=line.facts.agreement_id,
        dataset=line.facts.slug,
        mode=line.version.mode if line.version else None,
        version_id=line.facts.version_id,
        reads=line.reads,
        bytes=line.bytes,
        price_vnd=line.price_vnd,
        records_left=line.records_left,
    )


def _limits(services: Services, prepared: Prepared) -> DryLimits:
    limits = limits_of(services, prepared)
    return DryLimits(
        max_rows=limits.max_rows,
        max_bytes=limits.max_bytes,
        deadline_ms=limits.deadline_ms,
        memory_bytes=limits.memory_bytes,
    )
