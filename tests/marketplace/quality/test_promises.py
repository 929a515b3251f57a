"""Promises of offers: broken ones are told once a month, and give back their share of what was billed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct
from sqlalchemy import select, text

from catalog.quality.report import AxisScore, QualityReport, Verdict
from marketplace.agreements.models import Agreement
from marketplace.audit.models import Event
from marketplace.billing.terms import Sla, Terms
from marketplace.calendar import month_of
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.errors import Invalid
from marketplace.invoices import credits_api
from marketplace.listings.models import Dataset
from marketplace.offers.models import Offer
from marketplace.offers.rules import check_terms
from marketplace.quality import api, walking
from marketplace.quality.actions import keep_source_check
from marketplace.quality.breaking import find_broken
from marketplace.quality.jobs import tell_all_overdue
from tests.catalog.quality.tables import expect
from tests.conftest import ClientFor
from tests.marketplace.agreements.conftest import Sides, open_sides
from tests.marketplace.broken_audit import broken_audit
from tests.marketplace.invoices.bills import charged, invoice_of, rich
from tests.marketplace.parties import Make, Party

HANDLERS = (*api.handlers, *credits_api.handlers)
SLA = {"accurate_permille": 950, "complete_permille": 900, "live": True, "credit_permille": 200}


class Promised(Struct, frozen=True):
    """An agreement on an offer with promises, and what was found of the version."""

    sides: Sides
    agreement_id: UUID
    version_id: str

    async def events(self, database: Database, name: str) -> list[dict[str, Any]]:
        async with database.session() as session:
            rows = select(Event.body).where(Event.name == name, Event.dataset_id == self.sides.dataset_id)
            return [body or {} for body in (await session.scalars(rows.order_by(Event.id))).all()]


def found(**permille: int | None) -> QualityReport:
    """Scores, and one verdict that fails."""
    missed = Verdict(
        expectation=expect("column_values_to_not_be_null", "complete", column="sex"), outcome="failed", tested=100,
        unexpected=20, judge="own",
    )  # fmt: skip
    scores = tuple(
        AxisScore(axis=axis, permille=score, state="met", expectations=1, failed=0, errors=0)  # type: ignore[arg-type]
        for axis, score in permille.items()
    )
    return QualityReport(suite="suite", rows=100, judge="own", verdicts=(missed,), scores=scores)


@pytest.fixture
async def promised(database: Database) -> Promised:
    sides = await open_sides(database)
    agreement_id = await sides.agreement(database)
    async with database.session() as session:
        offer = Offer(id=new_id(), dataset_id=sides.dataset_id, name="promised", number=1, terms={"sla": SLA})
        session.add(offer)
        await session.flush()
        agreement = await session.get_one(Agreement, agreement_id)
        dataset = await session.get_one(Dataset, sides.dataset_id)
        agreement.offer_id, dataset.update_frequency = offer.id, "monthly"
        assert dataset.current_version_id is not None
        return Promised(sides, agreement_id, dataset.current_version_id)


async def judge(database: Database, promised: Promised, **permille: int | None) -> None:
    async with database.session() as session:
        await keep_source_check(
            session, dataset_id=promised.sides.dataset_id, version_id=promised.version_id,
            owners=(promised.sides.owner.organisation.id,), found=found(**permille), at=utcnow(),
        )  # fmt: skip


async def broken(database: Database, promised: Promised) -> list[tuple[Any, ...]]:
    rows = text(
        "select promise, promised_permille, found_permille from quality_breach where agreement_id = :id "
        "order by promise"
    )
    return [tuple(row) for row in await database.all(rows, {"id": promised.agreement_id})]


async def test_a_promise_below_its_score_breaks_once_a_month(database: Database, promised: Promised) -> None:
    await judge(database, promised, accurate=949, complete=900)
    for _ in range(2):
        await find_broken(database, at=utcnow())
    assert await broken(database, promised) == [("accurate", 950, 900)], "told in steps"
    told = await promised.events(database, "quality:breach")
    assert [(t["promise"], t["credit_permille"]) for t in told] == [("accurate", 200)]
    assert len(await promised.events(database, "quality:check")) == 1


async def test_what_is_promised_and_not_shown_is_broken(database: Database, promised: Promised) -> None:
    await judge(database, promised, complete=None)
    await find_broken(database, at=utcnow())
    assert await broken(database, promised) == [("accurate", 950, None), ("complete", 900, None)]


async def test_an_overdue_version_breaks_the_promise_to_be_live_and_is_told_once(
    database: Database, promised: Promised
) -> None:
    await judge(database, promised, accurate=1000, complete=1000)
    late = utcnow() + timedelta(days=5)
    await find_broken(database, at=late)
    assert await broken(database, promised) == []
    async with database.session() as session:
        (await session.get_one(Dataset, promised.sides.dataset_id)).update_frequency = "daily"
    await find_broken(database, at=late)
    assert await broken(database, promised) == [("live", None, None)]
    assert await tell_all_overdue(database, at=late) >= 1
    assert await tell_all_overdue(database, at=late) == 0
    assert len(await promised.events(database, "quality:overdue")) == 1


async def test_a_version_taken_back_is_not_live(
    database: Database, promised: Promised, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its scores are nobody's any more."""
    monkeypatch.setattr(walking, "PAGE_ROWS", 1)
    await judge(database, promised, accurate=1, complete=1)
    async with database.session() as session:
        (await session.get_one(Dataset, promised.sides.dataset_id)).current_version_id = None
    for _ in range(2):
        await find_broken(database, at=utcnow())
    assert await broken(database, promised) == [("live", None, None)]
    assert [told["promise"] for told in await promised.events(database, "quality:breach")] == ["live"]


async def test_nothing_is_kept_without_its_event(database: Database, promised: Promised, config: Config) -> None:
    with broken_audit(config, promised.sides.owner.organisation.id):
        await find_broken(database, at=utcnow())
    assert await broken(database, promised) == []


def test_an_agreement_on_quality_must_promise_something() -> None:
    with pytest.raises(Invalid):
        check_terms(Terms(sla=Sla(credit_permille=100)), "rows", at=utcnow())
    check_terms(Terms(sla=Sla(credit_permille=100, live=True)), "rows", at=utcnow())


async def test_a_broken_promise_gives_back_its_share_of_the_months_queries(
    client_for: ClientFor, database: Database, promised: Promised, make: Make
) -> None:
    """Only the agreement's own queries, once; the other person's yes makes the note."""
    startup, maker = await rich(database, make)
    checker = await make.party(database, kind="operator")
    owner = promised.sides.owner
    for agreement, price in ((promised.agreement_id, 1_001), (promised.agreement_id, 2_000), (None, 50_000)):
        await charged(
            database, startup, owner, dataset_id=promised.sides.dataset_id, price=price, agreement_id=agreement
        )
    await judge(database, promised, accurate=1, complete=1)
    await find_broken(database, at=utcnow())
    await invoice_of(database, startup)
    body = {"period": month_of(utcnow()), "reason": "cam kết không giữ"}
    async with client_for(*HANDLERS) as client:
        path = "/api/v1/credits/sla"
        for token, status in ((None, 401), (owner.token, 403), (startup.token, 403)):
            assert (await client.post(path, json=body, token=token)).status_code == status
        (credit,) = (await client.post(path, json=body, token=maker.token)).json()["items"]
        again = await client.post(path, json=body, token=maker.token)
        decided = await client.post(
            f"/api/v1/credits/{credit['id']}/decision", json={"decision": "approve"}, token=checker.token
        )
        seen = await breaches(client, startup_of(promised).token)
        others = await breaches(client, promised.sides.tokens["rival startup"])
    assert (credit["amount_vnd"], credit["uses"]) == (3_001 * 200 // 1000, 2)
    assert again.json()["code"] == "credit.nothing_left"
    assert decided.json()["state"] == "approved"
    assert [(b["promise"], b["credit_ids"]) for b in seen] == [
        ("complete", [credit["id"]]), ("accurate", [credit["id"]])
    ]  # fmt: skip
    assert others == []


def startup_of(promised: Promised) -> Party:
    return promised.sides.startup


async def breaches(client: Any, token: str | None) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.get("/api/v1/quality/breaches", token=token)).json()["items"]
    return items


async def test_counts_are_the_owners_and_percents_everybodys(
    client_for: ClientFor, database: Database, promised: Promised
) -> None:
    await judge(database, promised, accurate=949, complete=None)
    path = f"/api/v1/datasets/{promised.sides.dataset_id}/quality"
    async with client_for(*HANDLERS) as client:
        assert (await client.get("/api/v1/quality/breaches")).status_code == 401
        assert (await client.get(f"/api/v1/datasets/{new_id()}/quality")).status_code == 404
        pages = {
            who: (await client.get(path, token=token)).json()
            for who, token in (
                ("nobody", None), ("rival", promised.sides.tokens["rival owner"]),
                ("owner", promised.sides.owner.token),
            )
        }  # fmt: skip
        elsewhere = (await client.get(path, params={"version": "ff"})).json()
    assert pages["nobody"] == pages["rival"]
    (check,) = pages["nobody"]["checks"]
    told = [(s["axis"], s["percent"], s["state"]) for s in check["scores"]]
    assert told == [("accurate", 90, None), ("complete", None, None)], "no finer than five percent"
    assert check["verdicts"] == []
    assert pages["nobody"]["freshness"]["state"] == "fresh"
    (own,) = pages["owner"]["checks"]
    assert (own["scores"][0]["percent"], own["scores"][0]["state"] is None) == (94, False)
    assert [(v["tested"], v["unexpected"]) for v in own["verdicts"]] == [(100, 20)]
    assert elsewhere["checks"] == []
