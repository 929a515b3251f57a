"""Pages of offers and of spending: forms as a steward and an admin fill them in."""

from __future__ import annotations

import re

from sqlalchemy import select

from marketplace.calendar import month_of
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.offers.reads import offers_of
from marketplace.spending.models import SpendAlert, SpendLimit
from tests.browser.conftest import Visit
from tests.browser.outline import faults
from tests.browser.test_pages import slug_of
from tests.marketplace.agreements.conftest import Sides

FORM = {
    "name": "standard", "per_query_micro": "1500,5", "per_gb_micro": "0.25", "tiers": "11: 900\n101: 700",
    "trial_queries": "5", "month_vnd": "", "minimum_month_vnd": "20000", "cap_month_vnd": "90000",
    "sla_complete": "95", "sla_credit": "10", "sla_live": "yes",
}  # fmt: skip


async def test_a_steward_offers_anew_and_everybody_reads_it_in_words(
    visit: Visit, sides: Sides, database: Database
) -> None:
    slug = await slug_of(database, sides)
    path = f"/datasets/{slug}/offers"
    async with visit(sides.startup) as visitor:
        assert (await visitor.get(path)).status_code == 403
    async with visit(sides.rival_owner) as visitor:
        assert (await visitor.get(path)).status_code == 404
    async with visit(sides.owner) as visitor:
        page = (await visitor.get(path)).text
        assert faults(page) == []
        key = re.search(r'name="key" value="([^"]+)"', page)
        assert key
        for _ in range(2):
            sent = await visitor.send(path, FORM | {"key": key[1]})
            assert (sent.status_code, sent.headers["location"]) == (303, f"{path}?done=offered")
        odd = await visitor.send(path, FORM | {"key": "other", "tiers": "11: 9000"})
        assert odd.status_code == 400
        assert "Các bậc giá không giảm dần." in odd.text
        wrong = await visitor.send(path, FORM | {"key": "third", "per_gb_micro": "0.0000001"})
        assert wrong.status_code == 400
        nothing_back = await visitor.send(path, FORM | {"key": "fourth", "sla_credit": ""})
        assert nothing_back.status_code == 400
    async with database.session() as session:
        listed = await offers_of(session, dataset_id=sides.dataset_id, caller=sides.owner.caller, at=utcnow())
    numbers = [each.number for each in listed.items if each.name == "standard"]
    assert numbers == list(range(numbers[0], 0, -1)), "one press, one version"
    newest = listed.items[0]
    assert (newest.terms.per_query_micro, newest.terms.per_gb_micro) == (1_500_500_000, 250_000)
    async with visit() as visitor:
        page = (await visitor.get(f"/datasets/{slug}")).text
        for shown in (
            "1.500,5\u00a0₫",
            "Từ truy vấn thứ 101 trong tháng: 700\u00a0₫",
            "5 truy vấn đầu tiên",
            "90.000",
            "không giữ thì hoàn 10%",
            "Đủ từ 95%;",
        ):
            assert shown in page
    async with visit(sides.owner) as visitor:
        retired = await visitor.send(f"{path}/{newest.id}/retire", {})
        assert retired.headers["location"] == f"{path}?done=offer_retired"
    async with visit() as visitor:
        assert "Chưa có giá chào." in (await visitor.get(f"/datasets/{slug}")).text
    async with visit(sides.owner) as visitor:
        again = {"name": "standard", "per_query_micro": "1000", "key": "again"}
        assert (await visitor.send(path, again)).status_code == 303


async def test_an_admin_sets_a_limit_is_told_of_it_and_takes_it_away(
    visit: Visit, sides: Sides, database: Database
) -> None:
    async with visit(sides.startup) as visitor:
        page = (await visitor.get("/spending")).text
        assert faults(page) == []
        sent = await visitor.send(
            "/spending/limits", {"scope": "", "month_vnd": "50000", "alert_percent": "50, 90"}
        )
        assert sent.headers["location"] == "/spending?done=limited"
        page = (await visitor.get("/spending")).text
        assert faults(page) == []
        assert "50.000\u00a0₫" in page
        assert "50%, 90%" in page
        wrong = await visitor.send("/spending/limits", {"scope": "", "month_vnd": "1", "alert_percent": "150"})
        assert wrong.status_code == 400
        assert ('value="1"' in wrong.text, 'value="150"' in wrong.text) == (True, True), (
            "what was typed stands there"
        )
        assert faults(wrong.text) == []
        console = "50.000\u00a0₫" in (await visitor.get("/console")).text
        assert not console, "nothing was reached yet"
        async with database.session() as session:
            limit = await session.scalar(
                select(SpendLimit).where(SpendLimit.organisation_id == sides.startup.organisation.id)
            )
            assert limit
            session.add(
                SpendAlert(
                    organisation_id=limit.organisation_id,
                    month=month_of(utcnow()),
                    percent=90,
                    spent_vnd=45_000,
                    limit_vnd=50_000,
                )
            )
        assert "đã chạm 90% của 50.000\u00a0₫" in (await visitor.get("/console")).text
        removal = re.search(r'action="(/spending/limits/[^"]+/remove)"', page)
        assert removal
        assert (await visitor.send(removal[1], {})).status_code == 303
        assert "Chưa đặt giới hạn nào." in (await visitor.get("/spending")).text
