"""Alerts and breaches as pages: what waits, what is answered, the clock, the report."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import text

from marketplace.calendar import VIETNAM
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.oversight.alerts import FREE_SPENT, RULES, STUCK
from marketplace.web.words import words
from tests.browser.conftest import Visit
from tests.browser.outline import faults
from tests.marketplace.agreements.conftest import Sides
from tests.marketplace.parties import Make

TOLD = {
    "denials": 2000, "until": "2026-11-20T08:30:00+00:00", "night": "2026-11-20", "period": "2026-10",
    "listed_as": "internal", "due": "important", "cause": "<b>",
}  # fmt: skip
NOTE = "Tệp xuất bị gửi nhầm cho bên ngoài."


def test_every_alert_has_a_name_and_says_what_to_do_next() -> None:
    rules = {rule.name for rule in RULES} | {STUCK, FREE_SPENT}
    assert {name.removeprefix("alert.next.") for name in words() if name.startswith("alert.next.")} == rules
    assert all(f"alert.{rule}" in words() for rule in rules)


async def test_an_alert_is_answered_on_the_page(visit: Visit, database: Database, make: Make) -> None:
    alert_id = uuid4()
    async with database.session() as session:
        await session.execute(
            text(
                "INSERT INTO alert (id, rule, cause, told, raised_at)"
                " VALUES (:id, 'denial_burst', CAST(CAST(:id AS uuid) AS text), CAST(:told AS jsonb), now())"
            ),
            {"id": alert_id, "told": json.dumps(TOLD)},
        )
    path = f"/alerts/{alert_id}/acknowledge"
    async with visit(await make.party(database, kind="regulator")) as visitor:
        page = (await visitor.get("/alerts")).text
        assert path in page
        assert faults(page) == []
        for shown in ("Lần bị từ chối", "2.000", "20/11/2026 15:30", "10/2026", "Dữ liệu quan trọng", "&lt;b&gt;"):
            assert shown in page
        assert "rồi hỏi họ" in page
        assert not any(f"<dt>{name}</dt>" in page for name in TOLD)
        assert (await visitor.send(path, {"reason": "ngắn"})).status_code == 400
        assert (await visitor.send(path, {"reason": "Do một lỗi của bên thuê."})).status_code == 303
        assert path not in (await visitor.get("/alerts")).text
        assert "Do một lỗi của bên thuê." in (await visitor.get("/alerts?answered=1")).text


async def test_a_breach_is_opened_reported_and_printed(visit: Visit, database: Database, sides: Sides) -> None:
    now = utcnow().astimezone(VIETNAM)
    times = {
        "since": now - timedelta(days=2),
        "until": now - timedelta(days=1),
        "known_at": now - timedelta(hours=1),
    }
    fields = {name: at.strftime("%Y-%m-%dT%H:%M") for name, at in times.items()}
    fields |= {"title": "Gửi nhầm <b>tệp</b>", "note": NOTE, "dataset": str(sides.dataset_id)}
    async with visit(sides.owner) as visitor:
        sent = await visitor.send("/incidents", fields)
        assert sent.status_code == 303, sent.text
        one = sent.headers["location"].removesuffix("?done=incident_opened")
        page = (await visitor.get(sent.headers["location"])).text
        assert "Gửi nhầm &lt;b&gt;tệp&lt;/b&gt;" in page
        assert NOTE in page
        due = (now + timedelta(hours=71)).strftime("%d/%m/%Y %H:%M")
        assert due in page
        assert not re.search(r'<option value="close">', page)
        assert (await visitor.send(f"{one}/steps", {"verb": "close", "note": NOTE})).status_code == 403
        assert (await visitor.send(f"{one}/steps", {"verb": "report", "note": NOTE})).status_code == 303
        report = (await visitor.get(f"{one}/report")).json()
        assert (report["incident"]["state"], report["uses"]) == ("reported", [])
        assert (await visitor.send("/incidents", fields | {"note": "x"})).status_code == 400
    async with visit(sides.rival_owner) as visitor:
        assert (await visitor.get(sent.headers["location"])).status_code == 404
