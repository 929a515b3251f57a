"""What cannot be recorded does not happen: money, people, tokens and sessions, with the log broken."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.accounts.actions import set_password
from marketplace.accounts.api import handlers as accounts_handlers
from marketplace.accounts.sign_in import sign_in
from marketplace.billing.api import handlers
from marketplace.config import Config
from marketplace.db.engine import Database
from tests.conftest import ClientFor
from tests.marketplace.broken_audit import broken_audit
from tests.marketplace.parties import Make

COUNTS = text("""
    select (select count(*) from transfer t join account a on a.id = t.credit_account_id
            where a.organisation_id = :party) as transfers,
           (select count(*) from person where organisation_id = :party) as people,
           (select count(*) from token t join person p on p.id = t.person_id
            where p.organisation_id = :party) as tokens,
           (select count(*) from web_session s join person p on p.id = s.person_id
            where p.organisation_id = :party) as sessions,
           (select suspended_at is null from organisation where id = :party) as active
""")


async def test_nothing_happens_that_the_log_cannot_hold(
    client_for: ClientFor, database: Database, make: Make, config: Config
) -> None:
    startup, operator = await make.party(database), await make.party(database, kind="operator")
    async with database.session() as session:
        await set_password(session, person_id=startup.person.id, password="bốn từ khó đoán")
    organisation = f"/api/v1/organisations/{startup.organisation.id}"
    person = {"email": f"{secrets.token_hex(5)}@example.test", "name": "An", "roles": ["admin"]}
    credit = {
        "organisation_id": str(startup.organisation.id), "amount_vnd": 5_000, "reference": "x",
    }  # fmt: skip
    deeds: list[tuple[str, str, dict[str, Any]]] = [
        (operator.token, "/api/v1/wallet/credits", credit),
        (operator.token, f"{organisation}/people", person),
        (operator.token, f"{organisation}/suspend", {"reason": "x"}),
        (startup.token, "/api/v1/tokens", {"name": "x"}),
    ]
    party = {"party": startup.organisation.id}
    before = await database.one(COUNTS, party)
    async with client_for(*handlers, *accounts_handlers) as client:
        with broken_audit(config, startup.organisation.id):
            for token, path, body in deeds:
                assert (await client.post(path, json=body, token=token)).status_code == 500
            with pytest.raises(Exception, match="broken for a test"):
                await sign_in(
                    database, config, email=startup.person.email, password="bốn từ khó đoán", address="x"
                )
        assert await database.one(COUNTS, party) == before
        for token, path, body in deeds:
            assert (await client.post(path, json=body, token=token)).status_code < 300
    assert await database.one(COUNTS, party) != before
