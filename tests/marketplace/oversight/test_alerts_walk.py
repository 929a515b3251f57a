"""What the rules find when people do it: denials, a budget spent, an export at night, a class raised by law."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import Struct
from sqlalchemy import update

from marketplace.accounts.seats import Seats
from marketplace.audit import actions
from marketplace.audit.sequencer import sequence_once
from marketplace.billing.budget import budget_hold, budget_spent, grant_budget
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database, open_database
from marketplace.db.keys import Keys
from marketplace.ledger.actions import transfers
from marketplace.listings.models import DatasetVersion
from marketplace.oversight import api, duties_api
from marketplace.oversight.alerts import look
from marketplace.oversight.errors import TooManyExports
from marketplace.oversight.rules import budget_drained, class_drift, denial_burst, night_export
from marketplace.oversight.rules.rule import Rule, thresholds_at
from tests.conftest import ClientFor
from tests.market import Market
from tests.marketplace.agreements.conftest import Sides, open_sides
from tests.marketplace.api import Client
from tests.marketplace.parties import Make, Party

ALERTS = "/api/v1/alerts?is_open=true"
REASON = {"reason": "Đã hỏi bên liên quan và có trả lời."}


@pytest.fixture(scope="module")
async def sides(database: Database) -> Sides:
    return await open_sides(database)


@pytest.fixture
def keys(config: Config) -> Keys:
    return Keys(config.path("keys"))


@pytest.fixture
async def regulator(database: Database, make: Make) -> Party:
    return await make.party(database, kind="regulator")


@pytest.fixture
async def client(client_for: ClientFor, keys: Keys) -> AsyncIterator[Client]:
    async with client_for(
        *api.handlers, *duties_api.handlers, keys=keys, exports=Seats(2, TooManyExports)
    ) as client:
        yield client


async def found(
    client: Client, database: Database, regulator: Party, rule: Rule, *, about: UUID, at: datetime | None = None
) -> list[dict[str, Any]]:
    """What the regulator is told after a look."""
    await look(database, at=at or utcnow(), rules=[rule])
    page = (await client.get(ALERTS, token=regulator.token)).json()
    return [one for one in page["items"] if (one["rule"], one["organisation_id"]) == (rule.name, str(about))]


async def test_a_budget_that_was_spent_is_told_once_and_answered(
    client: Client, database: Database, sides: Sides, regulator: Party
) -> None:
    agreement_id, startup_id = await sides.agreement(database), sides.startup.organisation.id

    async def spend(rho_micro: int) -> None:
        hold = budget_hold(query_id=uuid4(), agreement_id=agreement_id, rho_micro=rho_micro)
        async with database.session() as session:
            await transfers(session, [hold])
            await transfers(session, [budget_spent(hold_id=hold.id, query_id=uuid4())])

    async with database.session() as session:
        await grant_budget(
            session, lineage_id=uuid4(), agreement_id=agreement_id, cap_micro=5_000, share_micro=1_000
        )
    await spend(940)
    asked = (client, database, regulator, budget_drained.RULE)
    assert await found(*asked, about=startup_id) == []
    await spend(20)
    (alert,) = await found(*asked, about=startup_id)
    assert alert["told"] == {"agreement": str(agreement_id), "rho_micro": 1_000, "remains_rho_micro": 40}
    answer = await client.post(f"/api/v1/alerts/{alert['id']}/acknowledge", token=regulator.token, json=REASON)
    assert answer.status_code == 200
    await spend(10)
    assert await found(*asked, about=startup_id) == [], "the same cause gives no second alert"


async def test_an_export_at_night_is_told_and_one_by_day_is_not(
    client: Client,
    database: Database,
    keys: Keys,
    config: Config,
    make: Make,
    regulator: Party,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    startup = await make.party(database)
    await sequence_once(database, keys, config)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    noon, midnight = yesterday.replace(hour=5), yesterday.replace(hour=17)  # in Viet Nam
    for at, told in ((noon, 0), (midnight, 1)):
        with monkeypatch.context() as patched:
            patched.setattr(actions, "utcnow", partial(lambda at: at, at))
            taken = await client.post("/api/v1/audit/exports", token=startup.token, json={"search": {}})
            assert taken.status_code == 200, taken.text
        await sequence_once(database, keys, config)
        alerts = await found(client, database, regulator, night_export.RULE, about=startup.organisation.id)
        assert len(alerts) == told


async def test_what_the_regulator_itself_takes_out_at_night_is_no_alert_to_it(
    client: Client,
    database: Database,
    keys: Keys,
    config: Config,
    regulator: Party,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unknown = await client.post(
        "/api/v1/audit/exports", token=regulator.token, json={"search": {"name": "log:exprt"}}
    )
    assert unknown.json()["errors"][0]["params"]["use"].startswith("log:export")
    midnight = (datetime.now(UTC) - timedelta(days=1)).replace(hour=17)
    with monkeypatch.context() as patched:
        patched.setattr(actions, "utcnow", lambda: midnight)
        taken = await client.post("/api/v1/audit/exports", token=regulator.token, json={"search": {}})
        assert taken.status_code == 200, taken.text
    await sequence_once(database, keys, config)
    about = regulator.organisation.id
    assert await found(client, database, regulator, night_export.RULE, about=about) == []


class Law(Struct, frozen=True):
    values: dict[str, dict[str, int]]


async def test_a_listed_version_that_a_new_law_puts_into_a_higher_class_is_told(
    client: Client, database: Database, sides: Sides, regulator: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, owner_id = (client, database, regulator, class_drift.RULE), sides.owner.organisation.id
    async with database.session() as session:
        listed = update(DatasetVersion).where(DatasetVersion.dataset_id == sides.dataset_id)
        await session.execute(listed.values(state_class="internal"))
    assert await found(*asked, about=owner_id) == []
    stricter = {kind: {"important": 1, "core": 10**9} for kind in ("none", "basic", "sensitive")}
    monkeypatch.setattr(class_drift, "law_at", lambda *_: Law(stricter))
    (alert,) = await found(*asked, about=owner_id)
    assert alert["dataset_id"] == str(sides.dataset_id)
    assert (alert["told"]["listed_as"], alert["told"]["due"]) == ("internal", "important")
    assert alert["told"]["persons_at_least"] == 1, "the law's threshold, not how many persons there are"
    assert len(await found(*asked, about=owner_id, at=utcnow() + timedelta(days=1))) == 1


def test_whoever_is_denied_again_and_again_is_told_to_the_regulator(market: Market) -> None:
    """Through the service: twenty quotes for a purpose that was not agreed."""
    limits, startup = thresholds_at(utcnow()), market.person("startup")
    assert limits
    sql = "select count(*) as n from adult"
    wrong = {"agreement_ids": [market.agreements["adult"]], "purpose": "product.rnd", "sql": sql}
    for _ in range(limits.denials):
        assert market.client("startup").post("/api/v1/queries/quote", wrong).status == 403
    asyncio.run(looked_at(market))
    told = market.client("regulator").get(ALERTS).json()["items"]
    bursts = [one for one in told if one["rule"] == "denial_burst"]
    assert [one["organisation_id"] for one in bursts] == [str(startup.organisation_id)]
    assert bursts[0]["told"]["denials"] >= limits.denials
    seen = market.client("startup").get("/api/v1/audit/events?name=alert:raise").json()["items"]
    assert seen == [], "whom it is about does not learn that somebody looks"


async def looked_at(market: Market) -> None:
    """Every denial has its leaf, and the rule has looked at it."""
    config = Config(home=market.home)
    database = open_database(config, connections=2)
    try:
        await sequence_once(database, Keys(config.path("keys")), config)
        await look(database, at=utcnow(), rules=[denial_burst.RULE])
    finally:
        await database.close()
