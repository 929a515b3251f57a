"""Steps 2 to 5 of the walk: plan, price, facts, decide. Nothing is written and nothing runs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Final
from uuid import UUID

from msgspec import Struct

from catalog.version import Version
from marketplace.accounts.allowance import QUESTION_CHARACTERS
from marketplace.accounts.callers import Caller
from marketplace.audit.sealing import Sealed, seal
from marketplace.billing.price import Measured, Price
from marketplace.consents.expiry import expire
from marketplace.db.base import new_id, utcnow
from marketplace.db.keys import Keys
from marketplace.offers.charging import charge_agreement
from marketplace.own.schemas import OwnSchema
from marketplace.queries.errors import (
    AgreementUnpaid,
    Alone,
    ClockSetBack,
    NothingListed,
    NotNeeded,
    RhoTooSmall,
    SameDataset,
    SqlNotUnderstood,
    TimeTells,
)
from marketplace.queries.facts import Facts, question, read_facts
from marketplace.queries.lines import Line, together
from marketplace.queries.pricing import at_most, logical_bytes, priced, rows_cap
from marketplace.queries.privacy import (
    PrivacyView,
    Spend,
    budget_facts,
    budget_unread,
    privacy_of,
    spend_of,
    view,
)
from marketplace.queries.schemas import Ask
from marketplace.queries.services import Services
from policies.beside import Decided, decide_all
from policies.clock import Clock, ClockWentBack
from policies.decision import AccessQuestion, Decision, RequestFacts
from sandbox.job import Column, TableSchema
from sandbox.plan.errors import SqlRefused
from sandbox.plan.plan import Plan, plan_query

TOGETHER: Final = frozenset({"rows", "aggregate"})
"""Modes that one query may mix: their files hold nothing that is not safe to join."""


class Prepared(Struct, frozen=True, kw_only=True, dict=True):
    """A query that is understood, priced and decided, with a line for each dataset."""

    plan: Plan
    lines: tuple[Line, ...]
    own: tuple[OwnSchema, ...]
    """The startup's own tables that it reads; they cost nothing."""
    deadline_ms: int
    """In the jail: the least of what exchange, offers and caller allow."""

    @cached_property
    def decision(self) -> Decision:
        """That of all lines."""
        return together(self.lines)

    @property
    def price_vnd(self) -> int:
        return sum(line.price_vnd for line in self.lines)

    @property
    def spend(self) -> Spend | None:
        """In dp mode, in which a dataset is asked alone."""
        return self.lines[0].spend

    @property
    def privacy(self) -> PrivacyView | None:
        """What it would tell of one person, and how exactly it would answer, in dp mode."""
        return view(self.lines[0].facts, self.plan, self.spend) if self.spend else None

    @property
    def bytes(self) -> int:
        return sum(line.bytes for line in self.lines)

    def sealed(self, keys: Keys, decision_id: UUID) -> tuple[Sealed, ...]:
        """Each line's decision, sealed with all that it stood on; the first one's gets the id."""
        return tuple(
            seal(keys, decision_id=new_id() if place else decision_id, tree=line.tree, decision=line.decision)
            for place, line in enumerate(self.lines)
        )


def instant_ms(clock: Clock) -> int:
    """Now. Raises ClockSetBack: what is over would be valid again."""
    try:
        return clock.now_ms()
    except ClockWentBack as back:
        raise ClockSetBack(behind_s=back.behind_ms // 1000) from back


async def prepare(
    services: Services, caller: Caller, ask: Ask, *, promised_vnd: Mapping[UUID, int] | None = None
) -> Prepared:
    """Raises NotFound, SameDataset, AgreementUnpaid, TimeTells, RhoTooSmall, Alone, NotNeeded, NothingListed,
    SqlNotUnderstood; a denial is in `.decision`.

    `promised_vnd`: prices by agreement, of a quote that is still valid; they are the ceiling and the bill.
    """
    require_short(services, ask.sql)
    facts = await facts_of(services, caller, ask)
    require_paid(facts)
    versions = versions_of(services, facts)
    require_private(services, ask, versions)
    plan = await understand(services, caller, ask.sql, facts, versions)
    lines = await lines_of(services, caller, ask, facts, plan, promised_vnd=promised_vnd)
    return gathered(services, ask, facts, plan, lines)


def require_short(services: Services, sql: str) -> None:
    """Raises SqlNotUnderstood: what is too long to be read costs nobody's database."""
    if len(sql.encode()) > services.config.sql_max_bytes:
        raise SqlNotUnderstood("sql.too_long", limit=services.config.sql_max_bytes)


def require_paid(facts: Sequence[Facts]) -> None:
    """What months cost without a query is paid. Raises AgreementUnpaid."""
    for each in facts:
        if each.unpaid_since is not None:
            raise AgreementUnpaid(dataset=each.slug, since=each.unpaid_since.isoformat(timespec="minutes"))


def gathered(
    services: Services, ask: Ask, facts: Sequence[Facts], plan: Plan, lines: tuple[Line, ...]
) -> Prepared:
    """Plan and lines, with what else the query reads and how long it may."""
    return Prepared(
        plan=plan,
        lines=lines,
        own=tuple(each for each in own_tables(facts) if each.name in plan.reads),
        deadline_ms=deadline_ms(services, ask, facts),
    )


def versions_of(services: Services, facts: Sequence[Facts]) -> list[Version | None]:
    """The newest of each dataset; None where none is listed."""
    return [services.store.version(each.version_id) if each.version_id else None for each in facts]


def require_private(services: Services, ask: Ask, versions: Sequence[Version | None]) -> None:
    """What a question in dp mode may not ask for. Raises TimeTells, RhoTooSmall."""
    if all(privacy_of(version) is None for version in versions):
        return
    if ask.max_seconds is not None:
        raise TimeTells
    asked, least = _rho_micro(services, ask), services.config.dp_rho_least_micro
    if asked < least:
        raise RhoTooSmall(asked_micro=asked, least_micro=least)


def _rho_micro(services: Services, ask: Ask) -> int:
    return services.config.dp_rho_micro if ask.rho_micro is None else ask.rho_micro


def deadline_ms(services: Services, ask: Ask, facts: Sequence[Facts]) -> int:
    """How long it may run in the jail."""
    told_s = [each.terms.max_seconds for each in facts if each.terms] + [ask.max_seconds]
    return min([services.config.sandbox_deadline_ms, *(1_000 * each for each in told_s if each is not None)])


class _Priced(Struct, frozen=True, kw_only=True):
    """One dataset of a question before it is decided on: what a `Line` holds besides."""

    facts: Facts
    version: Version | None
    reads: tuple[str, ...]
    bytes: int
    price: Price
    most: Measured
    rows_cap: int | None
    spend: Spend | None


async def lines_of(
    services: Services,
    caller: Caller,
    ask: Ask,
    facts: Sequence[Facts],
    plan: Plan | None,
    *,
    promised_vnd: Mapping[UUID, int] | None = None,
) -> tuple[Line, ...]:
    """Priced and decided. `plan` None: of a question that is not understood."""
    until_ms = deadline_ms(services, ask, facts)
    found = []
    for each, version in zip(facts, versions_of(services, facts), strict=True):
        spend = await spend_of(
            services.database, services.keys, each, version, plan, own_tables(facts), purpose=ask.purpose,
            rho_micro=_rho_micro(services, ask),
        )  # fmt: skip
        found.append(_priced(services, each, version, plan, spend, until_ms=until_ms, promised_vnd=promised_vnd))
    offered = all(each.terms is not None for each in facts)
    price_vnd = sum(each.price.total_vnd for each in found) if offered else None
    at_ms = instant_ms(services.clock)
    asked = [_asked(services, caller, ask, each, price_vnd, understood=bool(plan), at_ms=at_ms) for each in found]
    decided = await decide_all(services.engine, asked)
    return tuple(_line(ask.sql, *each) for each in zip(found, decided, strict=True))


def _priced(
    services: Services,
    facts: Facts,
    version: Version | None,
    plan: Plan | None,
    spend: Spend | None,
    *,
    until_ms: int,
    promised_vnd: Mapping[UUID, int] | None,
) -> _Priced:
    reads = plan.reads.get(facts.slug, ()) if plan else ()
    size, cap = logical_bytes(version, reads), rows_cap(services.config, version)
    most = at_most(services.config, facts, size, spend, cap, deadline_ms=until_ms)
    price = priced(facts, most, spend, promised_vnd)
    return _Priced(
        facts=facts, version=version, reads=reads, bytes=size, price=price, most=most, rows_cap=cap, spend=spend
    )


def _asked(
    services: Services,
    caller: Caller,
    ask: Ask,
    line: _Priced,
    price_vnd: int | None,
    *,
    understood: bool,
    at_ms: int,
) -> AccessQuestion:
    """What the policy is asked of one dataset. `price_vnd`: of all of them, for one wallet pays."""
    if understood:
        budget = budget_facts(line.facts, line.version, line.spend)
    else:
        budget = budget_unread(line.facts, line.version, _rho_micro(services, ask))
    request = RequestFacts(
        purpose=ask.purpose,
        columns=line.reads,
        price_vnd=price_vnd,
        max_vnd=ask.max_vnd,
        rows_cap=line.rows_cap,
        rows_released=line.facts.records_released,
    )
    return question(line.facts, line.version, caller=caller, at_ms=at_ms, request=request, budget=budget)


def _line(sql: str, line: _Priced, decided: Decided) -> Line:
    return Line(
        sql=sql,
        facts=line.facts,
        version=line.version,
        reads=line.reads,
        bytes=line.bytes,
        price=line.price,
        most=line.most,
        rows_cap=line.rows_cap,
        spend=line.spend,
        question=decided.question,
        decision=decided.decision,
    )


async def facts_of(services: Services, caller: Caller, ask: Ask) -> tuple[Facts, ...]:
    """Facts of each agreement asked under, in the order of their ids. Raises NotFound, SameDataset."""
    read = partial(
        read_facts, services.database, caller=caller, agreement_ids=ask.agreement_ids, purpose=ask.purpose
    )
    facts = await read()
    if twice := [slug for slug, count in Counter(each.slug for each in facts).items() if count > 1]:
        raise SameDataset(dataset=twice[0])
    while due := [each.dataset_id for each in facts if each.expiries_due]:
        for dataset_id in due:
            async with services.database.session() as session:
                await expire(session, dataset_id=dataset_id, store=services.store)
        facts = await read()
    if waits := [each.agreement_id for each in facts if each.month_waits]:
        for agreement_id in waits:
            await charge_agreement(services.database, agreement_id, at=utcnow())
        facts = await read()
    return facts


async def understand(
    services: Services, caller: Caller, sql: str, facts: Sequence[Facts], versions: Sequence[Version | None]
) -> Plan:
    """The typed plan, while others are served. Raises as `_understood`."""
    require_short(services, sql)
    if len(sql) <= QUESTION_CHARACTERS:
        return _understood(sql, facts, versions)
    async with services.understanding.reading_long(caller.organisation_id):
        return await asyncio.to_thread(_understood, sql, facts, versions)


def _understood(sql: str, facts: Sequence[Facts], versions: Sequence[Version | None]) -> Plan:
    """The typed plan. Raises SqlNotUnderstood with line, column, word and what to use; NotNeeded for an agreement
    beside others whose dataset the query does not read: its base price would buy nothing; Alone; NothingListed."""
    pairs = list(zip(facts, versions, strict=True))
    alone = [each.slug for each, version in pairs if version and version.mode not in TOGETHER]
    if alone and len(facts) > 1:
        raise Alone(dataset=alone[0])
    tables = tuple(schema_of(version, each.slug) for each, version in pairs if version)
    own = tuple(_schema_of_own(each) for each in own_tables(facts))
    try:
        plan = plan_query(sql, (*tables, *own))
    except SqlRefused as refused:
        gone = [each.slug for each, version in pairs if version is None]
        if refused.code == "sql.unknown_table" and refused.word.lower() in gone:
            raise NothingListed(dataset=refused.word.lower()) from refused
        raise SqlNotUnderstood(
            refused.code, **refused.params | {"line": refused.line, "column": refused.column, "word": refused.word}
        ) from refused
    idle = [table.name for table in tables if table.name not in plan.reads]
    if idle and len(facts) > 1:
        raise NotNeeded(datasets=", ".join(idle))
    return plan


def own_tables(facts: Sequence[Facts]) -> list[OwnSchema]:
    """The startup's own tables, but one that a dataset of the query was named like later."""
    slugs = {each.slug for each in facts}
    return [each for each in facts[0].own if each.name not in slugs]


def _schema_of_own(own: OwnSchema) -> TableSchema:
    columns = tuple(Column(name=column.name, type=column.type) for column in own.columns)
    return TableSchema(name=own.name, mode="rows", columns=columns)


def schema_of(version: Version, slug: str) -> TableSchema:
    """The table as the analyst sees it."""
    return TableSchema(
        name=slug,
        mode=version.mode,
        columns=tuple(
            Column(
                name=c.name,
                type=c.type,
                kind="measure" if c.role == "measure" else "dimension",
                bounds=c.bounds or None,
                values=c.values or None,
            )
            for c in version.columns
        ),
        pairs=version.cross_products or (),
        tells_level=bool(version.tells_level),
    )
