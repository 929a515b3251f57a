"""What Stripe has and what the ledger has: alike, or each difference is named."""

from __future__ import annotations

from datetime import datetime

from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.ledger.outside import compare
from marketplace.payments.notices import catch_up
from marketplace.payments.opening import open_payments
from marketplace.payments.outside import stripe_outside
from marketplace.payments.provider import Provider
from tests.marketplace.parties import Make
from tests.marketplace.payments.conftest import desk_of
from tests.marketplace.payments.fake import start_fake, with_cards
from tests.marketplace.payments.payer import Payer


async def differing(
    database: Database, provider: Provider, since: datetime
) -> list[tuple[str, int | None, int | None]]:
    found = []
    async with database.session() as session:
        for outside in await stripe_outside(session, provider, since=since, until=utcnow()):
            found += await compare(session, outside)
    return [(each.reference, each.expected, each.found) for each in found]


async def test_payments_refunds_and_disputes_agree_and_what_nobody_heard_of_is_named(
    database: Database, config: Config, make: Make
) -> None:
    since = utcnow().replace(microsecond=0)
    with start_fake() as fake:
        cards = with_cards(config, fake)
        async with open_payments(cards) as payments, desk_of(database, cards, payments) as desk:
            provider = payments.require()
            payer = Payer(desk, fake, await make.party(database), database, payments, cards)
            dongs, dollars = await payer.paid(), await payer.paid(currency="USD", amount=1_000)
            failed = fake.do("refund", dongs, amount="30000")
            fake.do("refund", dollars, amount="250")
            await catch_up(database, provider, utcnow())
            fake.do("end-refund", failed["id"], status="failed")
            never = fake.do("refund", dongs, amount="40000", status="pending")
            fake.do("end-refund", never["id"], status="failed")
            lost = fake.do("dispute", dongs)
            fake.do("end-dispute", lost["id"], status="lost")
            await catch_up(database, provider, utcnow())
            assert await differing(database, provider, since) == []
            unheard = payer.pay(await payer.order())
            fake.do("refund", dollars, amount="100")
            named = await differing(database, provider, since)
            assert (f"stripe:{unheard}", 200_000, None) in named
            assert [(told, found) for reference, told, found in named if unheard not in reference] == [
                (-100, None)
            ]
            await catch_up(database, provider, utcnow())
            assert await differing(database, provider, since) == []
