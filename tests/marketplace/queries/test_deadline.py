"""How long a query may run: the least of what the exchange, the offer agreed on and the caller allow."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from catalog.manifest import ManifestOffer
from marketplace.agreements.models import Agreement
from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.offers.models import Offer
from marketplace.queries.facts import read_facts
from marketplace.queries.prepare import deadline_ms
from marketplace.queries.schemas import Ask
from marketplace.queries.services import Services
from tests.marketplace.agreements.conftest import open_sides

PURPOSE = "research.academic"


@pytest.mark.parametrize(
    ("offered_s", "asked_s", "given_ms"),
    [(None, None, 30_000), (7, None, 7_000), (None, 3, 3_000), (7, 9, 7_000), (7, 3, 3_000), (99, 99, 30_000)],
)
async def test_the_least_holds(
    database: Database, offered_s: int | None, asked_s: int | None, given_ms: int
) -> None:
    sides = await open_sides(database)
    agreement_id = await sides.agreement(database)
    async with database.session() as session:
        agreed = Offer(
            id=new_id(), dataset_id=sides.dataset_id, name="standard", number=2, terms={"max_seconds": offered_s}
        )
        newer = Offer(dataset_id=sides.dataset_id, name="standard", number=3, terms={"max_seconds": 1})
        session.add_all([agreed, newer])
        await session.flush()
        agreement = await session.get_one(Agreement, agreement_id)
        agreement.offer_id = agreed.id
    ask = Ask(agreement_ids=(agreement_id,), purpose=PURPOSE, sql="select 1", max_seconds=asked_s)
    facts = await read_facts(
        database, caller=sides.startup.caller, agreement_ids=ask.agreement_ids, purpose=PURPOSE
    )
    services = cast(Services, SimpleNamespace(config=Config()))
    assert deadline_ms(services, ask, facts) == given_ms


def test_an_offer_of_no_time_is_refused() -> None:
    offer = {"base_vnd": 1, "per_gb_vnd": 1, "max_seconds": 0}
    with pytest.raises(msgspec.ValidationError, match="max_seconds"):
        msgspec.convert(offer, ManifestOffer)
