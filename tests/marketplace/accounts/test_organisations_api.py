"""The operator's endpoints: anonymous, a party, a colleague without the role, the operator."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from sqlalchemy import select, update

from marketplace.accounts.api import handlers
from marketplace.accounts.errors import Begun, NoSuchOperator, WrongPassword
from marketplace.accounts.models import Organisation, Person, WebSession
from marketplace.accounts.passwords import new_password, verify_password
from marketplace.accounts.reads import person_by_email
from marketplace.accounts.sign_in import sign_in
from marketplace.audit.models import Event
from marketplace.billing.admission import begin_exchange, enter_operator
from marketplace.billing.api import handlers as billing_handlers
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from tests.conftest import ClientFor
from tests.marketplace.parties import Make


def organisation_body(**changed: object) -> dict[str, object]:
    return {"kind": "startup", "name": "Công ty Mới", "slug": f"moi-{secrets.token_hex(4)}", **changed}


async def test_who_may_admit_an_organisation(client_for: ClientFor, database: Database, make: Make) -> None:
    startup = await make.party(database)
    clerk = await make.party(database, kind="operator", roles=[])
    operator = await make.party(database, kind="operator")
    path = "/api/v1/organisations"
    async with client_for(*billing_handlers) as client:
        assert (await client.post(path, json=organisation_body())).status_code == 401
        for token in (startup.token, clerk.token):
            refused = await client.post(path, json=organisation_body(), token=token)
            assert (refused.status_code, refused.json()["code"]) == (403, "auth.forbidden")
            assert "Đơn vị vận hành (người vận hành)" in refused.json()["detail"]
        body = organisation_body()
        made = await client.post(path, json=body, token=operator.token)
        assert made.status_code == 201
        again = await client.post(path, json=body, token=operator.token)
        assert (again.status_code, again.json()["code"]) == (409, "accounts.slug_taken")
    async with database.session() as session:
        events = (await session.scalars(select(Event.body).where(Event.name == "organisation:create"))).all()
    assert [each["slug"] for each in events].count(body["slug"]) == 1


async def test_every_wrong_field_of_an_organisation_is_named_at_once(
    client_for: ClientFor, database: Database, make: Make
) -> None:
    operator = await make.party(database, kind="operator")
    body = organisation_body(kind="bank", slug="Sai Tên", name=" ", tax_code="12", sector="x")
    async with client_for(*billing_handlers) as client:
        answer = await client.post("/api/v1/organisations", json=body, token=operator.token)
    assert answer.status_code == 400
    assert {each["path"] for each in answer.json()["errors"]} == {"kind", "slug", "name", "tax_code", "sector"}
    assert all(each["message"]["next"] for each in answer.json()["errors"])


async def test_who_may_add_people_and_who_sees_them(client_for: ClientFor, database: Database, make: Make) -> None:
    startup, other = await make.party(database), await make.party(database)
    operator = await make.party(database, kind="operator")
    path = f"/api/v1/organisations/{startup.organisation.id}/people"
    email = f"A{secrets.token_hex(4)}@Example.test"
    body = {"email": email, "name": "An", "roles": ["analyst"]}
    async with client_for(*handlers) as client:
        assert (await client.post(path, json=body)).status_code == 401
        assert (await client.post(path, json=body, token=startup.token)).status_code == 403
        made = await client.post(path, json=body, token=operator.token)
        assert made.status_code == 201
        assert made.json()["email"] == email.lower()
        taken = await client.post(path, json=body, token=operator.token)
        assert (taken.status_code, taken.json()["code"]) == (409, "accounts.email_taken")
        nobody = f"/api/v1/organisations/{startup.person.id}/people"
        fresh = {**body, "email": f"{secrets.token_hex(4)}@example.test"}
        assert (await client.post(nobody, json=fresh, token=operator.token)).status_code == 404
        assert (await client.get(path)).status_code == 401
        assert (await client.get(path, token=other.token)).status_code == 404
        seen = await client.get(path, token=startup.token)
        assert made.json()["id"] in {each["id"] for each in seen.json()["items"]}
        assert "password" not in seen.text


@pytest.mark.parametrize(
    ("field", "value"),
    [("roles", ["steward"]), ("roles", []), ("email", "an"), ("name", ""), ("password", "short")],
)
async def test_a_person_with_a_wrong_field_is_not_entered(
    client_for: ClientFor, database: Database, make: Make, field: str, value: object
) -> None:
    startup, operator = await make.party(database), await make.party(database, kind="operator")
    path = f"/api/v1/organisations/{startup.organisation.id}/people"
    body = {"email": f"{secrets.token_hex(4)}@example.test", "name": "An", "roles": ["analyst"], field: value}
    async with client_for(*handlers) as client:
        answer = await client.post(path, json=body, token=operator.token)
        people = await client.get(path, token=operator.token)
    assert answer.status_code == 400
    assert [each["path"] for each in answer.json()["errors"]] == [field]
    assert len(people.json()["items"]) == 1


async def test_suspending_is_the_operators_and_can_be_taken_back(
    client_for: ClientFor, database: Database, make: Make
) -> None:
    startup, operator = await make.party(database), await make.party(database, kind="operator")
    path = f"/api/v1/organisations/{startup.organisation.id}"
    why = {"reason": "Nợ quá hạn"}
    async with client_for(*handlers) as client:
        assert (await client.post(f"{path}/suspend", json=why)).status_code == 401
        assert (await client.post(f"{path}/suspend", json=why, token=startup.token)).status_code == 403
        for _ in range(2):
            done = await client.post(f"{path}/suspend", json=why, token=operator.token)
            assert done.json()["suspended_at"] is not None
        done = await client.post(f"{path}/unsuspend", json=why, token=operator.token)
        assert done.json()["suspended_at"] is None
        listed = await client.get("/api/v1/organisations", token=operator.token)
        assert str(startup.organisation.id) in {each["id"] for each in listed.json()["items"]}
        assert (await client.get("/api/v1/organisations", token=startup.token)).status_code == 403
    async with database.session() as session:
        names = await session.scalars(
            select(Event.name).where(Event.parties.contains([startup.organisation.id])).order_by(Event.at)
        )
        assert names.all() == ["organisation:suspend", "organisation:unsuspend"]
        found = await session.get_one(Organisation, startup.organisation.id)
    assert found.suspended_at is None


async def test_no_operator_makes_a_second_one_or_gives_one_a_password(
    client_for: ClientFor, database: Database, make: Make
) -> None:
    """Or one dishonest person would be both of the two who decide on credits and payouts."""
    operator = await make.party(database, kind="operator")
    async with database.session() as session:
        colleague = await make.person(session, operator.organisation)
    email = f"{secrets.token_hex(4)}@example.test"
    person = {"email": email, "name": "An", "roles": ["operator"], "password": "bốn từ khó đoán"}
    async with client_for(*handlers) as client:
        for path, body in (
            (f"/api/v1/organisations/{operator.organisation.id}/people", person),
            (f"/api/v1/people/{colleague.id}/password", {"password": "bốn từ khó đoán"}),
        ):
            refused = await client.post(path, json=body, token=operator.token)
            assert (refused.status_code, refused.json()["code"]) == (403, "accounts.operators_at_the_machine")
    async with database.session() as session:
        assert (await session.get_one(Person, colleague.id)).password_hash is None
        slug = operator.organisation.slug
        password = await enter_operator(session, slug=slug, email=email.upper(), person="An")
        entered = await session.get_one(Person, await person_by_email(session, email))
        assert await verify_password(entered.password_hash, password)
        assert (entered.organisation_id, entered.roles) == (operator.organisation.id, ["operator"])
    startup = await make.party(database)
    async with database.session() as session:
        with pytest.raises(NoSuchOperator):
            await enter_operator(session, slug=startup.organisation.slug, email="b@example.test", person="B")


async def test_an_operators_token_without_the_scope_changes_no_account(
    client_for: ClientFor, database: Database, make: Make
) -> None:
    startup = await make.party(database)
    narrow = await make.party(database, kind="operator", scopes=("read", "audit"))
    here = f"/api/v1/organisations/{startup.organisation.id}"
    person = {"email": "new@example.test", "name": "N", "roles": ["admin"], "password": "mot-mat-khau-dai-va-la"}
    async with client_for(*handlers, *billing_handlers) as client:
        for path, body in (
            ("/api/v1/organisations", organisation_body()),
            (f"{here}/suspend", {"reason": "x"}),
            (f"{here}/unsuspend", {"reason": "x"}),
            (f"{here}/people", person),
            (f"/api/v1/people/{startup.person.id}/deactivate", None),
            (f"/api/v1/people/{startup.person.id}/erase", None),
        ):
            refused = await client.post(path, json=body, token=narrow.token)
            assert (refused.status_code, refused.json()["code"]) == (403, "auth.scope_missing"), path


async def test_the_operator_gives_another_password_and_who_was_signed_in_is_so_no_more(
    client_for: ClientFor, database: Database, config: Config, make: Make
) -> None:
    startup, operator = await make.party(database), await make.party(database, kind="operator")
    path, first, second = f"/api/v1/people/{startup.person.id}/password", new_password(), new_password()
    email, address = startup.person.email, secrets.token_hex(6)
    async with client_for(*handlers) as client:
        assert (await client.post(path, json={"password": first})).status_code == 401
        assert (await client.post(path, json={"password": first}, token=startup.token)).status_code == 403
        short = await client.post(path, json={"password": "short"}, token=operator.token)
        assert short.status_code == 400
        for password in (first, second):
            done = await client.post(path, json={"password": password}, token=operator.token)
            assert done.status_code == 204
            await sign_in(database, config, email=email, password=password, address=address)
    with pytest.raises(WrongPassword):
        await sign_in(database, config, email=email, password=first, address=address)
    async with database.session() as session:
        open_now = await session.scalars(select(WebSession).where(WebSession.person_id == startup.person.id))
        assert len(open_now.all()) == 1  # the one begun with the second


async def test_an_exchange_begins_with_one_operator_and_only_once(database: Database) -> None:
    async with database.session() as session:
        operators = Organisation.kind == "operator"
        await session.execute(update(Organisation).where(operators).values(suspended_at=utcnow()))
        slug = f"san-{secrets.token_hex(4)}"
        given: dict[str, Any] = {"name": "Sàn", "slug": slug, "tax_code": None, "person": "Vinh"}
        password = await begin_exchange(session, email=f" V{slug}@Example.test", **given)
        person = await session.get_one(Person, await person_by_email(session, f"v{slug}@example.test"))
        assert person.roles == ["operator"]
        assert await verify_password(person.password_hash, password)
        with pytest.raises(Begun):
            await begin_exchange(session, email="another@example.test", **given)
        await session.rollback()
