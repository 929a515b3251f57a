"""The operator's desk where a person is erased: only by who may, and only if the e-mail is written once more."""

from __future__ import annotations

from marketplace.accounts.actions import ERASED
from marketplace.db.engine import Database
from tests.browser.conftest import Visit
from tests.browser.outline import faults
from tests.marketplace.parties import Make


async def test_a_person_is_erased_by_the_operator_who_writes_the_email_again(
    visit: Visit, database: Database, make: Make
) -> None:
    party, operator = await make.party(database), await make.party(database, kind="operator")
    path, page = f"/people/{party.person.id}/erase", f"/people?organisation={party.organisation.id}"
    fields = {"organisation": str(party.organisation.id), "email": party.person.email}
    async with visit() as visitor:
        assert (await visitor.get(page)).status_code == 303
    async with visit(party) as visitor:
        assert (await visitor.send(path, fields)).status_code == 403
    async with visit(operator) as visitor:
        shown = (await visitor.get(page)).text
        assert faults(shown) == []
        assert f'action="{path}"' in shown
        for wrong in ({"email": "another@example.test"}, {"organisation": str(operator.organisation.id)}):
            assert (await visitor.send(path, fields | wrong)).status_code == 400
        assert party.person.email in (await visitor.get(page)).text
        assert (await visitor.send(path, fields)).status_code == 303
        after = (await visitor.get(page)).text
        assert party.person.email not in after
        assert f"{party.person.id}{ERASED}" in after
        assert f'action="{path}"' not in after
