"""Bank transfers: a code, a booked line, and every way in which the two do not fit."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from marketplace.config import Config
from marketplace.db import embedded
from marketplace.db.engine import Database
from marketplace.db.roles import OWNER
from marketplace.ledger.reconcile import CHECKS
from marketplace.payments.bank import KNOWN
from marketplace.payments.references import LENGTH, PREFIX, SYMBOLS, find_reference, new_reference
from tests.marketplace.api import Client
from tests.marketplace.parties import Make
from tests.marketplace.payments.books import in_balance, money

TOP_UPS, LINES = "/api/v1/wallet/top-ups", "/api/v1/wallet/bank-lines"
WISH = {"kind": "bank", "amount": 500_000}


def line(memo: str, amount_vnd: int = 500_000, **more: str) -> dict[str, Any]:
    named = {"bank_reference": f"FT{secrets.token_hex(6)}", "received_on": "2026-11-20"}
    return {**named, "memo": memo, "amount_vnd": amount_vnd, **more}


async def test_who_may_order_and_who_may_book(cardless: Client, database: Database, make: Make) -> None:
    startup, rival = await make.party(database), await make.party(database)
    owner, operator = await make.party(database, kind="owner"), await make.party(database, kind="operator")
    analyst = await make.party(database, roles=["analyst"])
    assert (await cardless.post(TOP_UPS, json=WISH)).status_code == 401
    assert (await cardless.post(LINES, json=line("x"))).status_code == 401
    for party in (owner, operator, analyst):
        assert (await cardless.post(TOP_UPS, json=WISH, token=party.token)).status_code == 403
    for party in (startup, owner):
        assert (await cardless.post(LINES, json=line("x"), token=party.token)).status_code == 403
    made = (await cardless.post(TOP_UPS, json=WISH, token=startup.token)).json()
    assert (await cardless.get(f"{TOP_UPS}/{made['id']}", token=rival.token)).status_code == 404
    assert (await cardless.get(TOP_UPS, token=rival.token)).json() == {"items": []}
    assert (await cardless.get(f"{TOP_UPS}/{made['id']}", token=startup.token)).json() == made


async def test_a_line_with_the_code_credits_the_wallet_once(
    cardless: Client, database: Database, make: Make
) -> None:
    startup, operator = await make.party(database), await make.party(database, kind="operator")
    keyed: dict[str, Any] = {"token": startup.token, "headers": {"Idempotency-Key": "a"}}
    first, again = [(await cardless.post(TOP_UPS, json=WISH, **keyed)).json() for _ in range(2)]
    assert first == again
    assert (first["state"], first["url"]) == ("open", None)
    sent = line(f"CTY ABC nap vi {first['reference'][:5]} {first['reference'][5:].lower()}. CT tu 0123")
    answers = await asyncio.gather(*(cardless.post(LINES, json=sent, token=operator.token) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert answers[0].json()["organisation_id"] == str(startup.organisation.id)
    assert await money(database, startup.organisation.id) == {"wallet": 500_000}
    shown = (await cardless.get(f"{TOP_UPS}/{first['id']}", token=startup.token)).json()
    assert (shown["state"], shown["paid_vnd"]) == ("paid", 500_000)


async def test_the_banks_number_with_another_content_is_refused(
    cardless: Client, database: Database, make: Make
) -> None:
    operator = await make.party(database, kind="operator")
    sent = line("khong ma")
    assert (await cardless.post(LINES, json=sent, token=operator.token)).status_code == 201
    for change in ({"amount_vnd": 500_001}, {"memo": "khac"}, {"received_on": "2026-11-21"}):
        refused = await cardless.post(LINES, json=sent | change, token=operator.token)
        assert (refused.status_code, refused.json()["code"]) == (409, "payments.line_differs")


async def test_a_number_spelled_otherwise_is_the_same_line(
    cardless: Client, database: Database, make: Make
) -> None:
    startup, operator = await make.party(database), await make.party(database, kind="operator")
    order = (await cardless.post(TOP_UPS, json=WISH, token=startup.token)).json()
    number = f"FT{secrets.token_hex(6).upper()}"
    spelled = (number, number.lower(), f" {number} ", f"{number[:5]} {number[5:]}", f"\u200b{number}\xa0")
    sent = [line(order["reference"], bank_reference=one) for one in spelled]
    answers = await asyncio.gather(*(cardless.post(LINES, json=one, token=operator.token) for one in sent))
    assert {(answer.status_code, answer.json()["bank_reference"]) for answer in answers} == {(201, number)}
    assert await money(database, startup.organisation.id) == {"wallet": 500_000}


async def test_a_line_of_before_is_the_same_line_and_is_found_by_index(
    cardless: Client, database: Database, make: Make
) -> None:
    """Numbers were once kept as they were typed."""
    operator = await make.party(database, kind="operator")
    number = f"FT{secrets.token_hex(6).upper()}"
    sent = line("khong ma", bank_reference=number)
    booked = (await cardless.post(LINES, json=sent, token=operator.token)).json()
    asked = KNOWN.params(number=number).compile(
        dialect=postgresql.dialect(paramstyle="named"),  # type: ignore[no-untyped-call]
        compile_kwargs={"literal_binds": True},
    )
    async with database.session() as session:
        typed = {"id": booked["id"], "typed": f" {number[:4]} {number[4:].lower()}"}
        await session.execute(text("update bank_line set bank_reference = :typed where id = :id"), typed)
        await session.execute(text("set local enable_seqscan = off"))
        plan = "\n".join(await session.scalars(text(f"explain {asked}")))
    assert "Index Scan using ix_bank_line_spelled" in plan
    again = await cardless.post(LINES, json=sent, token=operator.token)
    assert (again.status_code, again.json()["id"]) == (201, booked["id"])


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"bank_reference": " \t\u200b"}, "field.length"),
        ({"received_on": "2999-01-01"}, "payments.line_in_future"),
    ],
)
async def test_a_line_without_number_or_of_a_day_to_come_is_refused_in_words(
    cardless: Client, database: Database, make: Make, more: dict[str, Any], code: str
) -> None:
    operator = await make.party(database, kind="operator")
    refused = await cardless.post(LINES, json=line("nap vi", **more), token=operator.token)
    assert refused.status_code == 400
    assert code in (refused.json()["code"], *(each["code"] for each in refused.json().get("errors", ())))


@pytest.mark.parametrize("paid", [1_000, 750_000])
async def test_what_arrived_is_credited_whatever_was_announced(
    cardless: Client, database: Database, make: Make, paid: int
) -> None:
    startup, operator = await make.party(database), await make.party(database, kind="operator")
    order = (await cardless.post(TOP_UPS, json=WISH, token=startup.token)).json()
    booked = (await cardless.post(LINES, json=line(order["reference"], paid), token=operator.token)).json()
    assert (booked["announced_vnd"], booked["amount_vnd"]) == (500_000, paid)
    second = await cardless.post(LINES, json=line(order["reference"], paid), token=operator.token)
    assert second.status_code == 201
    assert await money(database, startup.organisation.id) == {"wallet": 2 * paid}


async def test_a_line_of_nobody_waits_and_is_assigned_once(
    cardless: Client, database: Database, make: Make
) -> None:
    startup, rival = await make.party(database), await make.party(database)
    owner, operator = await make.party(database, kind="owner"), await make.party(database, kind="operator")
    unknown = PREFIX + next(c for c in (new_reference() for _ in range(9)))[3:]
    booked = (await cardless.post(LINES, json=line(f"nap {unknown}"), token=operator.token)).json()
    assert booked["organisation_id"] is None
    waiting = (await cardless.get(LINES, token=operator.token)).json()["items"]
    assert booked["id"] in {one["id"] for one in waiting}
    path = f"{LINES}/{booked['id']}/assignment"

    async def assign(organisation_id: object, token: str = operator.token) -> int:
        body = {"organisation_id": str(organisation_id)}
        return (await cardless.post(path, json=body, token=token)).status_code

    assert await assign(startup.organisation.id, startup.token) == 403
    assert await assign(owner.organisation.id) == 400
    outcomes = await asyncio.gather(*(assign(p.organisation.id) for p in (startup, rival) for _ in range(4)))
    assert sorted(outcomes) == [200] * 4 + [409] * 4
    found = [await money(database, party.organisation.id) for party in (startup, rival)]
    assert sorted(found, key=len) == [{}, {"wallet": 500_000}]
    assert await in_balance(database)


async def test_without_a_key_cards_are_refused_in_words(cardless: Client, database: Database, make: Make) -> None:
    startup = await make.party(database)
    for kind in ("checkout", "saved"):
        body = {"kind": kind, "amount": 500_000, "method_id": "pm_x" if kind == "saved" else None}
        refused = await cardless.post(TOP_UPS, json=body, token=startup.token)
        assert (refused.status_code, refused.json()["code"]) == (503, "payments.not_configured")
    assert (await cardless.get(TOP_UPS, token=startup.token)).json() == {"items": []}


@given(st.integers(0, LENGTH - 1), st.sampled_from(SYMBOLS), st.text("abc .-/:", max_size=5))
def test_every_single_wrong_symbol_and_every_swap_is_found(place: int, symbol: str, noise: str) -> None:
    code = new_reference()
    body = code[len(PREFIX) :]
    assert find_reference(f"{noise}{code}{noise} ") == code
    wrong = body[:place] + symbol + body[place + 1 :]
    assert find_reference(PREFIX + wrong) == (code if wrong == body else None)
    swapped = list(body)
    swapped[place], swapped[place - 1] = swapped[place - 1], swapped[place]
    assert find_reference(PREFIX + "".join(swapped)) == (code if "".join(swapped) == body else None)


def test_two_codes_in_one_text_are_nobodys_and_look_alikes_are_read() -> None:
    one, two = new_reference(), new_reference()
    assert find_reference(f"{one} {two}") is None
    assert find_reference(f"{one} {one}") == one
    with_zero = next(code for code in iter(new_reference, "") if "0" in code)
    assert find_reference(with_zero.replace("0", "O")) == with_zero


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("update bank_line set amount_vnd = amount_vnd + 1 where bank_reference = :number",
         {("bank_line_is_booked", 500_001, 500_000), ("bank_line_is_logged", 500_001, 500_000)}),
        ("delete from bank_line where bank_reference = :number",
         {("bank_line_is_booked", None, 500_000), ("bank_line_is_logged", None, 500_000)}),
        ("insert into bank_line (id, bank_reference, amount_vnd, memo, received_on, booked_by, booked_at) "
         "select gen_random_uuid(), 'FTPUTIN', 7, '', received_on, booked_by, booked_at from bank_line "
         "where bank_reference = :number",
         {("bank_line_is_booked", 7, None), ("bank_line_is_logged", 7, None)}),
    ],
    ids=["edited", "removed", "put in"],
)  # fmt: skip
async def test_a_line_that_ledger_or_log_have_otherwise_is_named(
    cardless: Client,
    database: Database,
    config: Config,
    make: Make,
    change: str,
    named: set[tuple[str, int | None, int | None]],
) -> None:
    startup, operator = await make.party(database), await make.party(database, kind="operator")
    code = (await cardless.post(TOP_UPS, json=WISH, token=startup.token)).json()["reference"]
    for sent in (line("khong ma"), line(code)):
        assert (await cardless.post(LINES, json=sent, token=operator.token)).status_code == 201
        number = sent["bank_reference"].upper()
        assert _apart(config, number, "select :number") == set()
        assert _apart(config, number, change) == named


def _apart(config: Config, number: str, change: str) -> set[tuple[str, int | None, int | None]]:
    """What is named of the line once that was done in the database, which is undone."""
    found = set()
    with psycopg.connect(embedded.url(config.home, OWNER)) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(change.replace(":number", f"'{number}'").encode())
        for check in ("bank_line_is_booked", "bank_line_is_logged"):
            rows = connection.execute(f"select subject, expected, found from ({CHECKS[check]}) each".encode())
            found |= {(check, *row[1:]) for row in rows if row[0] in (f"bank:{number}", "bank:FTPUTIN")}
        connection.rollback()
    return found
