"""A webhook storm leaves the books of the plain order: by law, and by a sender that permutes and repeats."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from marketplace.config import Config
from marketplace.db.engine import Database, database_url, open_database
from marketplace.payments.notices import take_notice
from marketplace.payments.opening import open_payments
from marketplace.payments.provider import Provider
from tests.examples import tried
from tests.marketplace.api import Client
from tests.marketplace.parties import Make
from tests.marketplace.payments.books import agree, in_balance, money
from tests.marketplace.payments.conftest import desk_of
from tests.marketplace.payments.fake import ROOT, SECRETS, Fake, signed, start_fake, with_cards
from tests.marketplace.payments.history import AMOUNT, Step, Story, steps
from tests.marketplace.payments.killed import hear, killed_at
from tests.marketplace.payments.payer import Payer
from tests.marketplace.payments.serving import serving

ORDERS = 2
WILD = [
    Step("pay", 0), Step("refund", 0, 30_000, "pending"), Step("pay", 1), Step("dispute", 1),
    Step("end-refund", 0, 0, "failed"), Step("refund", 0, 70_000, "succeeded"), Step("end-dispute", 1, 0, "lost"),
    Step("dispute", 0), Step("end-dispute", 0, 0, "won"),
]  # fmt: skip


@pytest.fixture(scope="module")
def stormy() -> Iterator[Fake]:
    """A Stripe of its own, whose events are these tests' only."""
    with start_fake() as fake:
        yield fake


class Told:
    """Takes a startup's events, each as its body says it."""

    def __init__(self, database: Database, provider: Provider, fake: Fake) -> None:
        self.database, self.provider, self.fake = database, provider, fake

    async def take(self, event: dict[str, object]) -> None:
        body = json.dumps(event).encode()
        notice = self.provider.open_notice(body, signed(body, SECRETS[0], time.time()))
        await take_notice(self.database, self.provider, notice)


async def story_of(desk: Client, database: Database, make: Make, fake: Fake, provider: Provider, config: Config,
                   orders: int = ORDERS) -> tuple[Payer, Story]:  # fmt: skip
    from marketplace.payments.provider import Payments

    payer = Payer(desk, fake, await make.party(database), database, Payments(provider), config)
    return payer, Story(fake, [await payer.order(amount=AMOUNT) for _ in range(orders)])


async def both_orders(
    config: Config, fake: Fake, history: list[Step], seed: int
) -> tuple[list[dict[str, int]], list[str]]:
    """One startup hears each event at once, the other at any time, in any order, up to three times.

    The books of the plain story, of the wild one, and of each startup here; and what does not agree in them."""
    chance, database = random.Random(seed), open_database(config, connections=8)
    async with open_payments(config) as payments, desk_of(database, config, payments) as desk:
        provider = payments.require()
        told = Told(database, provider, fake)
        plain, plainly = await story_of(desk, database, Make(), fake, provider, config)
        wild, wildly = await story_of(desk, database, Make(), fake, provider, config)
        last = fake.newest()
        waiting: list[dict[str, object]] = []
        for step in history:
            plainly.happen(step)
            for event in reversed(fake.since(last)):
                await told.take(event)
            last = fake.newest()
            wildly.happen(step)
            waiting += [event for event in fake.since(last) for _ in range(chance.randint(1, 3))]
            last = fake.newest()
            chance.shuffle(waiting)
            for _ in range(min(len(waiting), chance.randint(0, 2))):
                await told.take(waiting[-1] if chance.random() < 0.3 else waiting.pop())
        await asyncio.gather(*(told.take(event) for event in waiting))
        payers = [plain.organisation_id, wild.organisation_id]
        books = [plainly.books(), wildly.books(), *[await money(database, each) for each in payers]]
        apart = [each for payer in payers for each in await agree(database, payer)]
    await database.close()
    return books, apart


@settings(
    max_examples=tried(2),
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps(ORDERS), st.integers(0, 2**32))
def test_any_order_leaves_the_books_of_the_plain_one(
    database: Database, config: Config, stormy: Fake, history: list[Step], seed: int
) -> None:
    books, apart = asyncio.run(both_orders(with_cards(config, stormy), stormy, history, seed))
    assert books == [books[0]] * 4
    assert apart == []


async def test_a_storm_from_a_process_of_its_own_leaves_the_books_of_the_model(
    database: Database, config: Config, make: Make
) -> None:
    with start_fake() as fake:
        cards = with_cards(config, fake)
        async with open_payments(cards) as payments, serving(database, cards, payments) as url:
            async with desk_of(database, cards, payments) as desk:
                stories = [await story_of(desk, database, make, fake, payments.require(), cards) for _ in range(3)]
            for number, (_, story) in enumerate(stories):
                for step in WILD[: len(WILD) - number]:
                    story.happen(step)
            command = [sys.executable, "-m", "tests.marketplace.payments.stripe.sender"]
            asked = [fake.url, f"{url}/api/v1/webhooks/stripe", SECRETS[1], "7", "3"]
            sender = await asyncio.create_subprocess_exec(*command, *asked, cwd=ROOT, stdout=subprocess.PIPE)
            said, _ = await sender.communicate()
        told = json.loads(said)
        assert told["refused"] == 0
        assert told["sent"] == 3 * told["events"] > 80
        for payer, story in stories:
            assert await money(database, payer.organisation_id) == story.books()
            assert await agree(database, payer.organisation_id) == []
    assert await in_balance(database)


async def test_a_storm_in_which_whoever_takes_a_notice_is_killed_leaves_the_books_of_the_model(
    database: Database, config: Config, make: Make
) -> None:
    """A fourth of the notices die with their taker while others are taken; Stripe then sends all of them again."""
    chance, url = random.Random(11), database_url(config)
    with start_fake() as fake:
        cards = with_cards(config, fake)
        async with open_payments(cards) as payments, desk_of(database, cards, payments) as desk:
            provider = payments.require()
            told = Told(database, provider, fake)
            last = fake.newest()
            payer, story = await story_of(desk, database, make, fake, provider, cards)
            for step in WILD:
                story.happen(step)
            events = list(fake.since(last))
            chance.shuffle(events)
            deaths = 0
            for number, event in enumerate(events):
                if number % 4:
                    await told.take(event)
                    continue
                body = json.dumps(event).encode()
                notice = provider.open_notice(body, signed(body, SECRETS[0], time.time()))
                point = chance.choice(["notice-looked", "notice-before-commit", "notice-stored"])
                others = [told.take(each) for each in chance.sample(events[:number], min(3, number))]
                dying = asyncio.to_thread(killed_at, point, hear, cards, url, notice)
                deaths += (await asyncio.gather(dying, *others))[0] or 0
            assert deaths >= 3
            assert await agree(database, payer.organisation_id) == []
            chance.shuffle(events)
            await asyncio.gather(*(told.take(event) for event in events))
            assert await money(database, payer.organisation_id) == story.books()
            assert await agree(database, payer.organisation_id) == []
    assert await in_balance(database)
