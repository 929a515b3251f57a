"""The operator's desk of organisations and people, and the page on which somebody changes her own password."""

from __future__ import annotations

import re
import secrets

from marketplace.accounts.actions import ERASED
from marketplace.db.engine import Database
from tests.browser.conftest import PASSWORD, Visit
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
        wrong = {"email": "another@example.test"}, {"organisation": str(operator.organisation.id)}
        assert [(await visitor.send(path, fields | each)).status_code for each in wrong] == [400, 404]
        assert party.person.email in (await visitor.get(page)).text
        assert (await visitor.send(path, fields)).status_code == 303
        after = (await visitor.get(page)).text
        assert party.person.email not in after
        assert f"{party.person.id}{ERASED}" in after
        assert f'action="{path}"' not in after


async def test_an_operator_makes_no_second_one_and_is_told_how_one_is_made(
    visit: Visit, database: Database, make: Make
) -> None:
    operator = await make.party(database, kind="operator")
    async with database.session() as session:
        colleague = await make.person(session, operator.organisation)
    organisation = {"organisation": str(operator.organisation.id)}
    async with visit(operator) as visitor:
        page = (await visitor.get("/people")).text
        assert faults(page) == []
        assert "sandulieu people operator EMAIL" in page
        assert '/password"' not in page
        assert 'method="post" action="/people"' not in page
        person = organisation | {"name": "An", "email": f"an@{secrets.token_hex(4)}.example", "roles": "operator"}
        for path, fields in (("/people", person), (f"/people/{colleague.id}/password", organisation)):
            refused = await visitor.send(path, fields)
            assert (refused.status_code, bool(SECRET.search(refused.text))) == (403, False), path


SECRET = re.compile(r'<p class="secret">([^<]+)</p>')


async def test_the_operator_enters_an_organisation_and_its_people_who_sign_in_and_change_their_password(
    visit: Visit, database: Database, make: Make
) -> None:
    operator, slug = await make.party(database, kind="operator"), f"moi-{secrets.token_hex(4)}"
    fields = {"kind": "startup", "organisation_name": "Công ty Mới", "slug": slug, "sector": "health"}
    async with visit(await make.party(database)) as visitor:
        for path in ("/people/organisations", "/people"):
            assert (await visitor.send(path, fields)).status_code == 403
    async with visit(operator) as visitor:
        assert operator.person.email in (await visitor.get("/people")).text, "her own organisation is shown first"
        mistaken = await visitor.send("/people/organisations", fields | {"slug": "Sai Tên"})
        assert (mistaken.status_code, 'value="Sai Tên"' in mistaken.text) == (400, True)
        admitted = await visitor.send("/people/organisations", fields)
        page = await visitor.get(admitted.headers["location"])
        assert faults(page.text) == []
        organisation = re.findall(r'name="organisation" value="([^"]+)"', page.text)[0]
        person = {"organisation": organisation, "name": "An", "email": f"an@{slug}.example", "roles": "analyst"}
        assert (await visitor.send("/people", person | {"roles": "steward"})).status_code == 400
        (given,) = SECRET.findall((await visitor.send("/people", person)).text)
        shown = (await visitor.get(f"/people?organisation={organisation}")).text
        assert given not in shown
        (reset,) = re.findall(r'action="(/people/[^"]+/password)"', shown)
        (another,) = SECRET.findall((await visitor.send(reset, {"organisation": organisation})).text)
        stop = f"/people/organisations/{organisation}"
        for verb, done in (("suspend", "organisation_suspended"), ("unsuspend", "organisation_unsuspended")):
            sent = await visitor.send(f"{stop}/{verb}", {"reason": "Nợ quá hạn"})
            assert sent.headers["location"].endswith(done)
    async with visit() as visitor:
        assert (await visitor.sign_in(person["email"], given)).status_code == 401
        assert (await visitor.sign_in(person["email"], another)).status_code == 303
        assert faults((await visitor.get("/account")).text) == []
        change = {"current": another, "password": PASSWORD, "again": PASSWORD}
        wrong = {"again": "x"}, {"current": "x"}, {"password": "x", "again": "x"}
        refused = [(await visitor.send("/account/password", change | each)).status_code for each in wrong]
        assert refused == [400, 403, 400]
        assert (await visitor.send("/account/password", change)).headers["location"].startswith("/login")
        assert (await visitor.get("/account")).status_code == 303
        assert (await visitor.sign_in(person["email"], PASSWORD)).status_code == 303
    async with visit(operator) as visitor:
        end = reset.replace("/password", "/deactivate")
        assert (await visitor.send(end, {"organisation": organisation})).status_code == 303
    async with visit() as visitor:
        assert (await visitor.sign_in(person["email"], PASSWORD)).status_code == 401
