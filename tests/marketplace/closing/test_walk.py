"""A month closes by itself, in order, once; what is found in the way stops it before anything is billed."""

from __future__ import annotations

import asyncio
import json
import subprocess
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from marketplace.closing.accepting import decide
from marketplace.closing.actions import try_again
from marketplace.closing.api import handlers
from marketplace.closing.errors import AcceptanceDecided, NotStuck
from marketplace.closing.reads import list_months
from marketplace.closing.schemas import AcceptanceView, MonthView
from marketplace.closing.standing import Standing
from marketplace.closing.steps import STEPS
from marketplace.closing.walk import close_months, due
from marketplace.db.base import utcnow
from marketplace.db.engine import database_url
from marketplace.finding.telling import tell_stuck_months
from marketplace.invoices.closing import close_month
from marketplace.invoices.errors import MonthStuck
from marketplace.invoices.months import Month
from marketplace.ledger.outside import Hear
from marketplace.ledger.reconcile import reconcile
from marketplace.oversight.rules import month_stuck
from marketplace.oversight.rules.rule import Span
from tests import forked
from tests.browser.conftest import page_app, visiting
from tests.browser.outline import faults
from tests.marketplace.api import Client, listening, small_app
from tests.marketplace.closing.conftest import PRICES_VND, Past
from tests.marketplace.closing.killed import bank, killed_at, nobody, silent, silent_bank

SETTLED = timedelta(hours=2)


def over(month: Month) -> datetime:
    """An instant at which the month can be closed, and no later one."""
    return month.until + SETTLED


async def events(past: Past, month: Month) -> list[tuple[str, Any]]:
    rows = await past.database.all(
        text("select name, body from event where name like 'month:%' and body ->> 'period' = :period order by id"),
        {"period": month.period},
    )
    return [(row.name, row.body) for row in rows]


async def invoices(past: Past, month: Month) -> list[int]:
    asked = text("select gross_vnd from invoice where period = :period order by number")
    return [row.gross_vnd for row in await past.database.all(asked, {"period": month.period})]


async def view(past: Past, month: Month) -> MonthView:
    async with past.database.reading() as session:
        months = await list_months(session, due=await due(session, past.config, at=over(month)))
    return next(each for each in months.items if each.period == month.period)


async def all_done(past: Past, month: Month) -> None:
    """Each step once, in order; one invoice and one statement, of exactly what the month was charged."""
    done = [body["step"] for name, body in await events(past, month) if name == "month:step"]
    assert done == list(STEPS)
    assert await invoices(past, month) == [sum(PRICES_VND)]
    assert (await view(past, month)).state == "closed"
    (logged,) = await past.database.all(
        text("select e.body ->> 'sha256' as said, s.sha256, s.earned_vnd from event e join owner_statement s "
             "on s.sha256 = e.body ->> 'sha256' where e.name = 'statement:issue' and s.period = :period "
             "and s.owner_id = :owner"),
        {"period": month.period, "owner": past.sides.owner.organisation.id},
    )  # fmt: skip
    assert logged.earned_vnd > 0


async def test_a_month_is_due_once_its_last_queries_are_settled(past: Past) -> None:
    month = past.months[0]
    async with past.database.reading() as session:
        assert await due(session, past.config, at=month.until + timedelta(minutes=59)) == []
        assert month.period in await due(session, past.config, at=over(month)) or await invoices(past, month)


async def test_a_difference_stops_the_month_before_anything_is_billed(past: Past) -> None:
    month = past.months[0]
    wrong = "update usage set price_vnd = price_vnd + %s where at = %s"
    past.owner_does(wrong, 1, month.since)
    for _ in range(2):  # the second walk is before its time, and tells nothing again
        assert not await close_months(past.database, past.config, nobody, at=over(month))
    told = await events(past, month)
    assert [(name, body["step"]) for name, body in told] == [("month:step", "charges"), ("month:stuck", "usage")]
    assert told[-1][1]["cause"] == "month.usage_differs"
    assert (
        f"startup_sees_vnd {past.sides.startup.organisation.id} {month.period}-01: 70000 ≠ 70001"
        in told[-1][1]["named"]
    )
    for each in past.months[:2]:  # one that is over is not billed past what the one before stands at
        with pytest.raises(MonthStuck):
            await close_month(past.database, period=each.period, at=over(each), close_after_s=3_600)
    assert await invoices(past, month) == []
    (alerted,) = await alerts(past)
    assert (alerted.key, alerted.told["step"]) == (f"{month.period}/usage/month.usage_differs", "usage")
    async with past.database.reading() as session:  # however long it stands, it is not let lie
        assert month.period in await due(session, past.config, at=over(month) + timedelta(days=500))
    stuck = await view(past, month)
    assert [step.state for step in stuck.steps] == ["done", "stuck", *["waiting"] * 4]
    assert stuck.steps[1].problem is not None
    assert "1 ngày" in stuck.steps[1].problem.messages["vi"].what
    past.owner_does(wrong, -1, month.since)
    past.owner_does("alter table owner_statement add constraint broken check (earned_vnd < 0) not valid")
    assert not await close_months(past.database, past.config, nobody, at=over(month) + timedelta(minutes=11))
    assert (await events(past, month))[-1][1]["cause"] == "month.step_failed"  # a fault of ours is told too
    past.owner_does("alter table owner_statement drop constraint broken")
    assert await close_months(past.database, past.config, nobody, at=over(month) + timedelta(minutes=22))
    await all_done(past, month)
    assert await alerts(past) == []


async def alerts(past: Past) -> list[Any]:
    async with past.database.reading() as session:
        return await month_stuck.RULE.look(session, Span(since=0, until=0, at=utcnow()))


async def test_killed_after_each_step_it_goes_on_and_does_nothing_twice(past: Past) -> None:
    month, url = past.months[1], database_url(past.config)
    assert await close_months(past.database, past.config, nobody, at=over(past.months[0]), now=True)
    for step in STEPS:
        assert await asyncio.to_thread(killed_at, f"month-{step}", past.config, url, over(month))
        async with past.database.session() as session:  # until PostgreSQL has noticed that its holder is dead
            await session.execute(text("select pg_advisory_xact_lock(hashtextextended('month close', 0))"))
    assert (await view(past, month)).state == "running"
    assert await close_months(past.database, past.config, nobody, at=over(month))
    await all_done(past, month)


async def test_two_people_let_a_difference_stand_in_one_month_with_its_figures_and_no_others(past: Past) -> None:
    month, database = past.months[2], past.database
    assert await close_months(database, past.config, nobody, at=over(past.months[1]), now=True)
    app = small_app(handlers, database=database, config=past.config)
    path = f"/api/v1/months/{month.period}/acceptances"
    body = {"difference": "", "reason": "Dòng của ngân hàng không ai nhận, đã hỏi ngày 3."}
    async with AsyncTestClient(app, raise_server_exceptions=False) as http:
        client, tokens = Client(http), past.sides.tokens

        async def stuck(hear: Hear) -> Standing:
            assert not await close_months(database, past.config, hear, at=over(month), now=True)
            (standing,) = (await view(past, month)).steps[2].differences
            return standing

        async def propose(standing: Standing, who: str = "operator") -> Any:
            asked = body | {"difference": standing.key}
            return await client.post(path, json=asked, token=tokens[who])

        unheard = await stuck(silent)
        assert (await propose(unheard)).json()["code"] == "month.no_amount"
        first = await stuck(bank(month, 5_000))
        assert (first.rule, first.subject, first.expected, first.found) == ("outside:bank", "FT 77", 5_000, None)
        assert (await propose(unheard)).json()["code"] == "month.difference_gone"
        for who, status in (
            ("nobody", 401), ("rival startup", 403), ("owner approver", 403), ("regulator", 403),
            ("operator", 201), ("operator", 409),
        ):  # fmt: skip
            assert (await propose(first, who)).status_code == status
        (proposed,) = (await view(past, month)).acceptances
        for who, status in (("nobody", 401), ("owner approver", 403), ("regulator", 403), ("operator", 409)):
            decision = {"decision": "accept", "reason": "Tôi cũng đã hỏi ngân hàng."}
            answer = await client.post(f"{path}/{proposed.id}/decision", json=decision, token=tokens[who])
            assert answer.status_code == status
        assert answer.json()["code"] == "month.same_person"
        await _accept(past, month, proposed.id)
        second = await stuck(bank(month, 5_001))  # another amount is another difference
        assert second.key != first.key
        assert [each.state for each in (await view(past, month)).acceptances] == ["lapsed"]
        with pytest.raises(AcceptanceDecided):
            await _accept(past, month, proposed.id)
        await _proposed_and_refused_by_hand(past, month, second)
        assert await tell_stuck_months(database, at=utcnow()) == 2  # both people of the operator
        assert await tell_stuck_months(database, at=utcnow()) == 0
        await _accepted_on_the_command_line(past, month)
        assert (await stuck(silent_bank)).subject == "unavailable"  # undoes nothing: nobody knows what it has now
    assert await close_months(database, past.config, bank(month, 5_001), at=over(month), now=True)
    await all_done(past, month)
    seen = await view(past, month)
    assert [each.state for each in seen.acceptances] == ["lapsed", "refused", "accepted"]
    assert seen.steps[2].told == {"others_heard": 1, "accepted": 1}
    await _in_the_trial_balance(past, month, seen.acceptances[-1])


async def _command(past: Past, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`sandulieu months …` as the operator's first person."""
    async with listening(small_app(handlers, database=past.database, config=past.config)) as address:
        environment = {"SANDULIEU_URL": address, "SANDULIEU_TOKEN": past.sides.tokens["operator"] or ""}
        return await asyncio.to_thread(forked.run, ("months", *arguments), environment)


async def _proposed_and_refused_by_hand(past: Past, month: Month, standing: Standing) -> None:
    """On the command line by one, on the page by the other, who then proposes it there again."""
    why = "Ngân hàng xác nhận đã ghi nhầm dòng này."
    proposed = await _command(past, "propose", month.period, standing.key, "--reason", why)
    assert (proposed.returncode, proposed.stderr) == (0, "")
    pending = (await view(past, month)).acceptances[-1]
    assert f"{pending.id}  proposed" in proposed.stdout
    alone = await _command(past, "accept", month.period, str(pending.id), "--reason", why)
    assert (alone.returncode, "month.same_person" in alone.stderr) == (1, True)
    path = f"/months/{month.period}/acceptances"
    async with visiting(page_app(past.database, past.config), past.database, past.second) as visitor:
        page = (await visitor.get("/months")).text
        assert faults(page) == []
        assert f'action="{path}/{pending.id}/decision"' in page
        for fields, status in (({"reason": "ngắn"}, 400), ({"reason": why, "decision": "x"}, 400), ({}, 303)):
            sent = {"decision": "refuse", "reason": why} | fields
            assert (await visitor.send(f"{path}/{pending.id}/decision", sent)).status_code == status
        assert (await view(past, month)).acceptances[-1].state == "refused"
        assert f'name="difference" value="{standing.key}"' in (await visitor.get("/months")).text
        for reason, status in (("ngắn", 400), (why, 303)):
            sent = {"difference": standing.key, "reason": reason}
            assert (await visitor.send(path, sent)).status_code == status
        own = (await visitor.get("/months")).text
        assert ('value="accept"' in own, 'value="refuse"' in own) == (False, True)


async def _accepted_on_the_command_line(past: Past, month: Month) -> None:
    pending = (await view(past, month)).acceptances[-1]
    accepted = await _command(
        past, "accept", month.period, str(pending.id), "--reason", "Đã xem sao kê.", "--json"
    )
    assert accepted.returncode == 0, accepted.stderr
    told = {each["period"]: each for each in json.loads(accepted.stdout)["items"]}[month.period]
    assert told["acceptances"][-1]["state"] == "accepted"
    again = await _command(past, "refuse", month.period, str(pending.id), "--reason", "Đã xem sao kê.")
    assert (again.returncode, "month.acceptance_decided" in again.stderr) == (1, True)


async def _accept(past: Past, month: Month, acceptance_id: UUID) -> None:
    reason = "Đã cùng xem sao kê của ngân hàng."
    async with past.database.session() as session:
        await decide(
            session, period=month.period, acceptance_id=acceptance_id, accept=True, reason=reason,
            by=past.operator, at=utcnow(),
        )  # fmt: skip


async def _in_the_trial_balance(past: Past, month: Month, accepted: AcceptanceView) -> None:
    """The log says what was let stand, and its hash covers it: whoever changes it later is found."""
    closed = text("select body from event where name = 'ledger:close' and body ->> 'period' = :period")
    event = await past.database.one(closed, {"period": month.period})
    assert event is not None
    assert event.body["let_stand"] == [
        {
            "step": "books", "rule": "outside:bank", "subject": "FT 77", "expected": 5_001, "found": None,
            "reason": accepted.reason, "proposed_by": str(past.operator.person_id),
            "accepted_by": str(accepted.decided_by),
        }
    ]  # fmt: skip
    for reason, wrong in (("khác", [("closed_period_hash", month.period)]), (accepted.reason, [])):
        past.owner_does("update period_difference set reason = %s where period = %s", reason, month.period)
        async with past.database.snapshot() as session:
            found = [(each.check, each.subject) for each in await reconcile(session)]
        assert found == wrong


async def test_a_silent_bank_stops_it_and_an_operator_has_it_tried_again_by_four_at_once(past: Past) -> None:
    month = past.months[3]
    assert await close_months(past.database, past.config, nobody, at=over(past.months[2]), now=True)
    assert not await close_months(past.database, past.config, silent, at=over(month))
    assert "outside:stripe unavailable" in (await events(past, month))[-1][1]["named"]
    assert await invoices(past, month) == []
    app = small_app(handlers, database=past.database, config=past.config)
    async with AsyncTestClient(app, raise_server_exceptions=False) as http:
        client, path = Client(http), f"/api/v1/months/{month.period}/retry"
        for who, status in (
            ("nobody", 401), ("rival startup", 403), ("owner approver", 403), ("regulator", 403),
            ("operator", 202),
        ):  # fmt: skip
            assert (await client.post(path, token=past.sides.tokens[who])).status_code == status
        for who, status in (("nobody", 401), ("rival startup", 403), ("regulator", 200), ("operator", 200)):
            assert (await client.get("/api/v1/months", token=past.sides.tokens[who])).status_code == status
    assert (await events(past, month))[-1] == ("month:retry", {"period": month.period, "step": "books"})
    walks = [close_months(past.database, past.config, nobody, at=utcnow()) for _ in range(4)]
    assert any(await asyncio.gather(*walks))
    await all_done(past, month)
    with pytest.raises(NotStuck):
        async with past.database.session() as session:
            await try_again(session, period=month.period, by=past.operator, at=utcnow())
