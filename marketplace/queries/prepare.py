"""Steps 2 to 5 of the walk: plan, price, facts, decide. Nothing is written and nothing runs."""

from __future__ import annotations

from functools import cached_property, partial
from uuid import UUID

from msgspec import Struct

from catalog.version import Version
from marketplace.accounts.callers import Caller
from marketplace.audit.facttree import FactTree, grow
from marketplace.audit.sealing import Sealed, seal
from marketplace.billing.price import price_vnd
from marketplace.consents.expiry import expire
from marketplace.db.keys import Keys
from marketplace.queries.errors import ClockSetBack, OneAgreement, SqlNotUnderstood
from marketplace.queries.facts import Facts, question, read_facts
from marketplace.queries.schemas import Ask
from marketplace.queries.services import Services
from policies.clock import Clock, ClockWentBack
from policies.decision import AccessQuestion, Decision, RequestFacts
from sandbox.job import Column, TableSchema
from sandbox.plan.errors import SqlRefused
from sandbox.plan.plan import Plan, plan_query


class Prepared(Struct, frozen=True, kw_only=True, dict=True):
    """A query that is understood, priced and decided."""

    sql: str
    facts: Facts
    version: Version | None
    plan: Plan
    reads: tuple[str, ...]
    bytes: int
    price_vnd: int
    question: AccessQuestion
    decision: Decision
    records_left: int

    @cached_property
    def tree(self) -> FactTree:
        """Over the facts and the SQL, grown once: the row keeps its seed, and the query's event its head."""
        return grow(self.question, self.sql)

    def sealed(self, keys: Keys, decision_id: UUID) -> Sealed:
        """The decision, sealed with all that it stood on."""
        return seal(keys, decision_id=decision_id, tree=self.tree, decision=self.decision)


def instant_ms(clock: Clock) -> int:
    """Now. Raises ClockSetBack: what is over would be valid again."""
    try:
        return clock.now_ms()
    except ClockWentBack as back:
        raise ClockSetBack(behind_s=back.behind_ms // 1000) from back


async def prepare(services: Services, caller: Caller, ask: Ask, *, promised_vnd: int | None = None) -> Prepared:
    """Raises NotFound, OneAgreement, SqlNotUnderstood. A denial is in `.decision`, not an exception.

    `promised_vnd`: the price of a quote that is still valid; it is the ceiling and the bill.
    """
    facts = await facts_of(services, caller, ask)
    version = services.store.version(facts.version_id) if facts.version_id else None
    plan = understand(ask.sql, version, facts.slug, services.config.sql_max_bytes)
    reads = plan.reads.get(facts.slug, ())
    size = logical_bytes(version, reads)
    price = price_vnd(facts.base_vnd or 0, facts.per_gb_vnd or 0, size) if promised_vnd is None else promised_vnd
    cap = services.config.rows_cap_multiple * version.rows if version and version.mode == "rows" else None
    asked = question(
        facts,
        version,
        caller=caller,
        at_ms=instant_ms(services.clock),
        request=RequestFacts(
            purpose=ask.purpose,
            columns=reads,
            price_vnd=price if facts.base_vnd is not None else None,
            max_vnd=ask.max_vnd,
            rows_cap=cap,
            rows_released=facts.records_released,
        ),
    )
    return Prepared(
        sql=ask.sql,
        facts=facts,
        version=version,
        plan=plan,
        reads=reads,
        bytes=size,
        price_vnd=price,
        question=asked,
        decision=await services.engine.decide(asked),
        records_left=(cap - facts.records_released) if cap is not None else services.config.result_max_rows,
    )


async def facts_of(services: Services, caller: Caller, ask: Ask) -> Facts:
    """Facts of the one agreement asked under. Raises OneAgreement, NotFound."""
    if len(ask.agreement_ids) != 1:
        raise OneAgreement(given=len(ask.agreement_ids))
    read = partial(
        read_facts, services.database, caller=caller, agreement_id=ask.agreement_ids[0], purpose=ask.purpose
    )
    facts = await read()
    while facts.expiries_due:
        async with services.database.session() as session:
            await expire(session, dataset_id=facts.dataset_id, store=services.store)
        facts = await read()
    return facts


def understand(sql: str, version: Version | None, slug: str, max_bytes: int) -> Plan:
    """The typed plan. Raises SqlNotUnderstood with line, column, word and what to use."""
    if len(sql.encode()) > max_bytes:
        raise SqlNotUnderstood("sql.too_long", limit=max_bytes)
    tables = (schema_of(version, slug),) if version else ()
    try:
        return plan_query(sql, tables)
    except SqlRefused as refused:
        raise SqlNotUnderstood(
            refused.code, **refused.params | {"line": refused.line, "column": refused.column, "word": refused.word}
        ) from refused


def schema_of(version: Version, slug: str) -> TableSchema:
    """The table as the analyst sees it."""
    return TableSchema(
        name=slug,
        mode=version.mode,
        columns=tuple(
            Column(name=c.name, type=c.type, kind="measure" if c.role == "measure" else "dimension")
            for c in version.columns
        ),
        pairs=version.cross_products or (),
        tells_level=bool(version.tells_level),
    )


def logical_bytes(version: Version | None, reads: tuple[str, ...]) -> int:
    """Bytes of the columns read in the version as first released, each once (DESIGN §5)."""
    size = {c.name: c.logical_bytes for c in version.columns} if version else {}
    return sum(size[name] for name in reads)
