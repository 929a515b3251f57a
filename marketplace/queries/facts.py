"""Step 4: everything the price and the decision need, read in one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType
from sqlalchemy import text

from catalog.version import Version
from marketplace.accounts.callers import Caller
from marketplace.billing.price import Standing, due_at_start
from marketplace.billing.terms import Terms
from marketplace.calendar import month_of
from marketplace.consents.expiry import DUE
from marketplace.db.base import ms_of, utcnow
from marketplace.db.engine import Database
from marketplace.db.together import Statement
from marketplace.errors import NotFound
from marketplace.listings.facts import dataset_facts
from marketplace.own.reads import OWN
from marketplace.own.schemas import OwnSchema
from marketplace.spending.reads import STANDING
from policies.decision import AccessQuestion, AgreementFacts, BudgetFacts, Promises, RequestFacts, WalletFacts
from policies.decision import Caller as CallerFacts

FACTS = text(f"""
select a.id, a.startup_id, a.owner_id, a.partner_id, a.lead_basis_points,
       a.dataset_id, a.purpose, a.people, a.columns, a.valid_from, a.expires_at,
       a.ended_at is not null as ended, a.purpose_judged, a.promises, a.limits,
       d.slug, d.current_version_id as version_id, v.state_class,
       a.offer_id, o.name as offer_name, o.number as offer_number, o.terms, {STANDING} as standing,
       (select min(u.unpaid_since) from agreement u
           where u.startup_id = a.startup_id and u.dataset_id = a.dataset_id) as unpaid_since,
       exists (select from charge c where c.agreement_id = a.id and c.period = :month) as month_charged,
       p.deactivated_at is null as active, s.suspended_at is not null as suspended, s.slug as startup_slug,
       b.credits_posted - b.debits_posted - b.debits_pending - coalesce(w.floor, 0) as available_vnd,
       (select array_agg(x.cohort) from excluded_cohort x where x.version_id = d.current_version_id
           and (x.purpose is null or x.purpose = :purpose)) as excluded,
       (select coalesce(max(x.revision), 0) from excluded_cohort x where x.version_id = d.current_version_id
           and (x.purpose is null or x.purpose = :purpose)) as revision,
       {DUE} as expiries_due, {OWN} as own,
       (select r.credits_posted - r.debits_posted - r.debits_pending from account c
           join account_balance r on r.account_id = c.id
           where c.organisation_id is null and c.kind = 'privacy:' || a.id and c.currency = 'RHO')
           as rho_left_micro,
       coalesce((select m.records from agreement_meter m where m.agreement_id = a.id), 0) as records_released
from agreement a
join dataset d on d.id = a.dataset_id
left join dataset_version v on v.id = d.current_version_id
join organisation s on s.id = a.startup_id
join person p on p.id = :person
left join offer o on o.id = a.offer_id
left join account w on w.organisation_id = a.startup_id and w.kind = 'wallet' and w.currency = 'VND'
left join account_balance b on b.account_id = w.id
where a.id = :agreement and a.startup_id = :startup
""")
"""Of one agreement. One statement for all would be planned anew each time: how many they are changes its plan."""


class Facts(Struct, frozen=True, kw_only=True):
    """A row of FACTS. `excluded`: cohorts of the newest version that this purpose may not see; `revision`: the
    number of what is left; `own`: the startup's own tables."""

    agreement_id: UUID
    startup_id: UUID
    owner_id: UUID
    partner_id: UUID | None
    lead_basis_points: int | None
    dataset_id: UUID
    purpose: str
    people: tuple[UUID, ...]
    columns: tuple[str, ...]
    valid_from: datetime
    expires_at: datetime
    ended: bool
    purpose_judged: bool
    promises: dict[str, Any]
    limits: dict[str, Any]
    slug: str
    version_id: str | None
    state_class: str | None
    offer_id: UUID | None
    offer_name: str | None
    offer_number: int | None
    terms: Terms | None
    """Of the offer that the agreement was made on; None: there is no price, and so no query."""
    standing: Standing
    unpaid_since: datetime | None
    """Of any agreement between the startup and the dataset: a debt is not left behind with one that was ended."""
    month_charged: bool
    """Something of what this month costs without a query."""
    active: bool
    suspended: bool
    startup_slug: str
    available_vnd: int | None
    excluded: frozenset[int]
    revision: int
    expiries_due: bool
    records_released: int
    own: tuple[OwnSchema, ...]
    rho_left_micro: int | None
    """Of the agreement's privacy budget, holds counted; None in the other modes."""

    @property
    def month_waits(self) -> bool:
        """This month costs something without a query, and nobody has charged it yet."""
        return self.terms is not None and bool(due_at_start(self.terms)) and not self.month_charged

    @property
    def parties(self) -> tuple[UUID, ...]:
        """The startup and the owner, of a joint dataset both owners."""
        beside = () if self.partner_id is None else (self.partner_id,)
        return (self.startup_id, self.owner_id, *beside)


async def read_facts(
    database: Database, *, caller: Caller, agreement_ids: Sequence[UUID], purpose: str
) -> tuple[Facts, ...]:
    """Of each agreement, in the order of their ids. Raises NotFound for one of another organisation."""
    whose = {
        "startup": caller.organisation_id,
        "person": caller.person_id,
        "purpose": purpose,
        "month": month_of(utcnow()),
    }
    found = await database.each([Statement(FACTS, whose | {"agreement": id}) for id in sorted(set(agreement_ids))])
    if not all(found):
        raise NotFound(what="agreement")
    return tuple(_facts(row) for (row,) in found)


def _facts(found: Any) -> Facts:
    row: dict[str, Any] = found._asdict()
    row["agreement_id"] = row.pop("id")
    row["excluded"] = frozenset(row["excluded"] or ())
    row["own"] = msgspec.convert(row["own"] or (), tuple[OwnSchema, ...])
    row["terms"] = msgspec.convert(row["terms"], Terms) if row["terms"] is not None else None
    row["standing"] = msgspec.convert(row["standing"], Standing)
    row["people"], row["columns"] = tuple(row["people"]), tuple(row["columns"])
    return Facts(**row)


def question(
    facts: Facts, version: Version | None, *, caller: Caller, request: RequestFacts, at_ms: int,
    budget: BudgetFacts | UnsetType = UNSET,
) -> AccessQuestion:  # fmt: skip
    """The decision's input (DESIGN §5) from the facts; what is unknown stays None and denies."""
    return AccessQuestion(
        at_ms=at_ms,
        caller=CallerFacts(
            person_id=str(caller.person_id),
            organisation_id=str(caller.organisation_id),
            organisation_kind="startup" if caller.organisation_kind == "startup" else None,
            organisation_slug=facts.startup_slug,
            roles=caller.roles,
            active=facts.active,
            organisation_suspended=facts.suspended,
        ),
        agreement=AgreementFacts(
            id=str(facts.agreement_id),
            startup_id=str(facts.startup_id),
            dataset_id=str(facts.dataset_id),
            purpose=facts.purpose,
            purpose_judged=facts.purpose_judged,
            people=tuple(str(p) for p in facts.people),
            columns=facts.columns,
            valid_from_ms=ms_of(facts.valid_from),
            expires_at_ms=ms_of(facts.expires_at),
            ended=facts.ended,
            promises=msgspec.convert(facts.promises, Promises),
            limits=facts.limits,
        ),
        dataset=dataset_facts(facts.dataset_id, version, state_class=facts.state_class),
        request=request,
        wallet=WalletFacts(available_vnd=facts.available_vnd),
        budget=budget,
    )
