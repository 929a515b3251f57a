"""Offers of a dataset as those see them to whom they are made, and the one that a new agreement is made on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.billing.terms import Terms
from marketplace.offers.errors import NoOffer, OfferNotOpen
from marketplace.offers.schemas import OfferList, OfferView

STANDARD = "standard"
"""The offer that the manifest makes."""
OFFERS = """
    select o.*, d.slug as dataset_slug, d.owner_id, d.partner_id, s.name as startup_name, case
        when o.retired_at is not null then 'retired'
        when o.valid_from > :at then 'upcoming'
        when exists (select from offer n where n.dataset_id = o.dataset_id and n.name = o.name
                     and n.number > o.number and n.valid_from <= :at) then 'replaced'
        when o.valid_until <= :at then 'over' else 'open' end as state
    from offer o join dataset d on d.id = o.dataset_id left join organisation s on s.id = o.startup_id
"""
"""Every version with its state at an instant: the newest of its name that has begun is the one that counts."""
_LIST = text(f"""
    select * from ({OFFERS}) o where o.dataset_id = :dataset
    and (cast(:party as uuid) in (o.owner_id, o.partner_id)
         or (o.state in ('open', 'upcoming') and (o.startup_id is null or o.startup_id = cast(:party as uuid))))
    order by o.name, o.number desc
""")
_OPEN = text(f"""
    select * from ({OFFERS}) o where o.dataset_id = :dataset and o.state = 'open'
    and (o.startup_id is null or o.startup_id = cast(:startup as uuid))
    and (cast(:offer as uuid) is null or o.id = :offer)
    order by o.startup_id is null, o.name <> :standard, o.valid_from desc, o.id desc limit 1
""")
_EVERYBODY = text(f"""
    select distinct on (o.dataset_id) o.dataset_id, o.terms from ({OFFERS}) o
    where o.dataset_id = any(cast(:datasets as uuid[])) and o.state = 'open' and o.startup_id is null
    order by o.dataset_id, o.name <> :standard, o.valid_from desc, o.id desc
""")
_ONE = text(f"select * from ({OFFERS}) o where o.id = :offer")


async def offers_of(session: AsyncSession, *, dataset_id: UUID, caller: Caller | None, at: datetime) -> OfferList:
    """What the caller may see of a dataset's offers."""
    whose = {"dataset": dataset_id, "party": caller.organisation_id if caller else None, "at": at}
    rows = await session.execute(_LIST, whose)
    return OfferList(items=tuple(_view(row) for row in rows))


async def offer_view(session: AsyncSession, *, offer_id: UUID, at: datetime) -> OfferView:
    """One version that is known to be there."""
    return _view((await session.execute(_ONE, {"offer": offer_id, "at": at})).one())


async def open_offer(
    session: AsyncSession, *, dataset_id: UUID, startup_id: UUID, offer_id: UUID | None, at: datetime
) -> UUID:
    """The version that an application is made on: the one named, else one made to this startup alone, else the
    standard one. Raises NoOffer, OfferNotOpen."""
    asked = {"dataset": dataset_id, "startup": startup_id, "offer": offer_id, "standard": STANDARD, "at": at}
    row = (await session.execute(_OPEN, asked)).one_or_none()
    found: UUID | None = row.id if row else None
    if found is None and offer_id is not None:
        raise OfferNotOpen(offer_id=str(offer_id))
    if found is None:
        raise NoOffer
    return found


async def public_offer(session: AsyncSession, *, dataset_id: UUID, at: datetime) -> OfferView | None:
    """What everybody is offered who names none."""
    asked = {"dataset": dataset_id, "startup": None, "offer": None, "standard": STANDARD, "at": at}
    row = (await session.execute(_OPEN, asked)).one_or_none()
    return _view(row) if row else None


async def public_terms(session: AsyncSession, *, dataset_ids: Sequence[UUID], at: datetime) -> dict[UUID, Terms]:
    """The terms of `public_offer`, of many datasets at once; without those that are offered to nobody."""
    asked = {"datasets": list(dataset_ids), "standard": STANDARD, "at": at}
    rows = await session.execute(_EVERYBODY, asked)
    return {row.dataset_id: msgspec.convert(row.terms, Terms) for row in rows}


async def require_standing(session: AsyncSession, *, offer_id: UUID, at: datetime) -> None:
    """What was applied for can still be agreed on, though a newer version may be there. Raises OfferNotOpen."""
    offer = await offer_view(session, offer_id=offer_id, at=at)
    over = offer.valid_until is not None and offer.valid_until <= at
    if offer.retired_at is not None or over:
        raise OfferNotOpen(offer_id=str(offer_id))


def _view(row: Any) -> OfferView:
    terms = msgspec.convert(row.terms, Terms)
    fields = {name: getattr(row, name) for name in OfferView.__struct_fields__ if name != "terms"}
    return OfferView(terms=terms, **fields)
