"""The verbs on applications and agreements: bounds, one agreement, one event, all or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Approver, StartupAdmin
from marketplace.agreements.asking import apply, resubmit, withdraw
from marketplace.agreements.deciding import accept, refuse
from marketplace.agreements.ending import end
from marketplace.agreements.errors import ApplicationDenied, ApplicationWrongState
from marketplace.agreements.machine import RefusalVerb
from marketplace.agreements.models import Agreement, Application
from marketplace.agreements.terms import Granted, Terms
from marketplace.audit.models import Event
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database, open_database
from marketplace.db.keys import Keys
from marketplace.errors import Conflict, Invalid, NotFound
from policies.decision import Conditions, Promises
from policies.engine import Engine
from tests.marketplace.agreements.conftest import TERMS, Sides
from tests.marketplace.broken_audit import broken_audit
from tests.marketplace.listed import list_dataset
from tests.marketplace.parties import Make


def _admin(sides: Sides, make: Make) -> StartupAdmin:
    found = make.caller_of(sides.startup.organisation, sides.startup.person, StartupAdmin)
    assert isinstance(found, StartupAdmin)
    return found


def _approver(sides: Sides, make: Make) -> Approver:
    found = make.caller_of(sides.owner.organisation, sides.owner.person, Approver)
    assert isinstance(found, Approver)
    return found


@pytest.fixture
async def sides(apart: Sides) -> Sides:
    return apart


def _terms(sides: Sides, **changed: object) -> Terms:
    return Terms(**{**TERMS, "people": (sides.startup.person.id,), **changed})  # type: ignore[arg-type]


async def _events(session: AsyncSession, sides: Sides, application_id: UUID) -> list[Event]:
    """Other files' tests leave events of other kinds on the same dataset."""
    rows = select(Event).where(Event.dataset_id == sides.dataset_id).order_by(Event.id)
    return [e for e in await session.scalars(rows) if e.body.get("application") == str(application_id)]


async def test_apply_writes_the_application_and_an_event_for_both_sides(
    session: AsyncSession, engine: Engine, keys: Keys, sides: Sides, make: Make
) -> None:
    by, new = _admin(sides, make), new_id()
    made = await apply(session, engine, keys, application_id=new, dataset_id=sides.dataset_id, terms=_terms(sides),
                       by=by, at=utcnow())  # fmt: skip
    assert (made.state, made.owner_id, made.people) == (
        "submitted", sides.owner.organisation.id, [sides.startup.person.id],
    )  # fmt: skip
    (event,) = await _events(session, sides, new)
    assert event.name == "application:apply"
    assert set(event.parties) == {sides.owner.organisation.id, sides.startup.organisation.id}
    assert (event.actor_person_id, event.purpose) == (by.person_id, "research.academic")


@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ({"duration_days": 0}, {"duration.out_of_bounds", "duration.not_asked"}),
        ({"duration_days": 1096}, {"duration.out_of_bounds"}),
        ({"duration_days": 10**30}, {"duration.out_of_bounds"}),
        ({"purpose": "resale"}, {"purpose.never", "purpose.not_allowed"}),
        ({"purpose": "trial.quality"}, {"purpose.not_allowed"}),
        ({"people": ()}, {"people.none"}),
        ({"duration_days": 5000, "purpose": "vui"},
         {"duration.out_of_bounds", "purpose.unknown", "purpose.not_allowed"}),
    ],
)  # fmt: skip
async def test_what_the_policy_does_not_allow_is_denied_with_every_reason(
    config: Config, session: AsyncSession, engine: Engine, keys: Keys, sides: Sides, make: Make,
    changed: dict[str, object], codes: set[str],
) -> None:  # fmt: skip
    new, by = new_id(), _admin(sides, make)
    with pytest.raises(ApplicationDenied) as denied:
        async with _lonely(config) as alone, alone.session() as unit:
            await apply(unit, engine, keys, application_id=new, dataset_id=sides.dataset_id,
                        terms=_terms(sides, **changed), by=by, at=utcnow())  # fmt: skip
    assert {reason.code for reason in denied.value.reasons} == codes
    assert all(reason.law and reason.remedy for reason in denied.value.reasons)
    (event,) = await _events(session, sides, new)
    assert (event.name, event.body["stage"], event.body["decision"]["allow"]) == (
        "application:deny",
        "apply",
        False,
    )


async def test_a_denied_resubmission_changes_nothing_but_is_logged(
    config: Config, session: AsyncSession, engine: Engine, keys: Keys, database: Database, sides: Sides, make: Make
) -> None:
    id = await sides.application(database, state="returned")
    with pytest.raises(ApplicationDenied):
        async with _lonely(config) as alone, alone.session() as unit:
            await resubmit(unit, engine, keys, application_id=id, terms=_terms(sides, purpose="vui"),
                           by=_admin(sides, make), at=utcnow())  # fmt: skip
    stands = await session.get_one(Application, id)
    assert (stands.state, stands.purpose) == ("returned", TERMS["purpose"])
    (event,) = await _events(session, sides, id)
    assert (event.name, event.body["stage"]) == ("application:deny", "apply")


@asynccontextmanager
async def _lonely(config: Config) -> AsyncIterator[Database]:
    """A service with a single connection: whoever asks for a second one while it works waits in vain."""
    alone = open_database(config, connections=1)
    try:
        yield alone
    finally:
        await alone.close()


@pytest.mark.parametrize("justification", [" " * 40 + "ngắn quá", "x" * 4001])
async def test_a_justification_out_of_bounds_is_refused(
    session: AsyncSession, engine: Engine, keys: Keys, sides: Sides, make: Make, justification: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await apply(session, engine, keys, application_id=new_id(), dataset_id=sides.dataset_id, at=utcnow(),
                    terms=_terms(sides, justification=justification), by=_admin(sides, make))  # fmt: skip
    assert [e["code"] for e in refused.value.params["errors"]] == ["application.justification_length"]


async def test_people_of_another_startup_or_gone_cannot_be_named(
    session: AsyncSession, engine: Engine, keys: Keys, sides: Sides, make: Make
) -> None:
    gone = await make.person(session, sides.startup.organisation)
    gone.deactivated_at = utcnow()
    await session.flush()
    for stranger in (sides.rival.person.id, gone.id, new_id()):
        with pytest.raises(ApplicationDenied) as denied:
            await apply(session, engine, keys, application_id=new_id(), dataset_id=sides.dataset_id, at=utcnow(),
                        terms=_terms(sides, people=(sides.startup.person.id, stranger)),
                        by=_admin(sides, make))  # fmt: skip
        assert [reason.code for reason in denied.value.reasons] == ["people.inactive"]


async def test_the_owner_grants_fewer_columns_and_records(
    session: AsyncSession, engine: Engine, keys: Keys, database: Database, sides: Sides, make: Make
) -> None:
    granted = Granted(columns=("education", "salary"), max_rows=50)
    agreement = await accept(session, engine, keys, application_id=await sides.application(database), reason="",
                             granted=granted, by=_approver(sides, make), at=utcnow())  # fmt: skip
    assert (agreement.columns, agreement.limits) == (["education"], {"max_rows": 50})


async def test_what_the_owner_demands_has_to_be_promised_and_stays_in_the_agreement(
    session: AsyncSession, engine: Engine, keys: Keys, sides: Sides, make: Make
) -> None:
    demands = Conditions(places=("VN",), ethics_approval=True, return_results=True)
    dataset = await list_dataset(session, sides.owner.organisation, sides.owner.person, conditions=demands)
    by, new = _admin(sides, make), new_id()
    with pytest.raises(ApplicationDenied) as denied:
        await apply(session, engine, keys, application_id=new_id(), dataset_id=dataset.id, terms=_terms(sides),
                    by=by, at=utcnow())  # fmt: skip
    codes = {"condition.place", "condition.ethics", "condition.results"}
    assert {reason.code for reason in denied.value.reasons} == codes
    promises = Promises(place="VN-HN", ethics_reference="12/HĐĐĐ", returns_results=True)
    await apply(session, engine, keys, application_id=new, dataset_id=dataset.id,
                terms=_terms(sides, promises=promises), by=by, at=utcnow())  # fmt: skip
    agreement = await accept(session, engine, keys, application_id=new, reason="", granted=Granted(),
                             by=_approver(sides, make), at=utcnow())  # fmt: skip
    assert agreement.promises == msgspec.to_builtins(promises)


async def test_a_person_who_left_since_cannot_be_accepted(
    session: AsyncSession, engine: Engine, keys: Keys, database: Database, sides: Sides, make: Make
) -> None:
    application_id = await sides.application(database)
    person = await session.merge(sides.startup.person)
    person.deactivated_at = utcnow()
    await session.flush()
    with pytest.raises(ApplicationDenied) as denied:
        await accept(session, engine, keys, application_id=application_id, reason="", granted=Granted(),
                     by=_approver(sides, make), at=utcnow())  # fmt: skip
    assert {reason.code for reason in denied.value.reasons} == {"applicant.inactive", "people.inactive"}


async def test_accept_makes_an_agreement_with_all_columns_and_the_asked_duration(
    session: AsyncSession, engine: Engine, keys: Keys, database: Database, sides: Sides, make: Make
) -> None:
    at = utcnow()
    agreement = await accept(session, engine, keys, application_id=await sides.application(database), reason="",
                             granted=Granted(), by=_approver(sides, make), at=at)  # fmt: skip
    assert agreement.columns == ["sex", "education"]
    assert agreement.expires_at == at + timedelta(days=30)
    assert (agreement.purpose, agreement.people) == ("research.academic", [sides.startup.person.id])


@pytest.mark.parametrize("days", [-1, 0, 31])
async def test_expiry_is_within_the_duration_asked_for(
    session: AsyncSession, engine: Engine, keys: Keys, database: Database, sides: Sides, make: Make, days: int
) -> None:
    at = utcnow()
    with pytest.raises(ApplicationDenied) as denied:
        await accept(session, engine, keys, application_id=await sides.application(database), reason="",
                     granted=Granted(expires_at=at + timedelta(days=days)), by=_approver(sides, make),
                     at=at)  # fmt: skip
    assert [reason.code for reason in denied.value.reasons] == ["duration.not_asked"]


@pytest.mark.parametrize("decision", ["reject", "return"])
async def test_a_no_needs_a_reason(
    session: AsyncSession, database: Database, sides: Sides, make: Make, decision: RefusalVerb
) -> None:
    with pytest.raises(Invalid):
        await refuse(session, application_id=await sides.application(database), decision=decision,
                     reason="  ", by=_approver(sides, make), at=utcnow())  # fmt: skip


async def test_returned_then_resubmitted_carries_the_new_terms(
    session: AsyncSession, engine: Engine, keys: Keys, database: Database, sides: Sides, make: Make
) -> None:
    application_id = await sides.application(database)
    await refuse(session, application_id=application_id, decision="return", reason="Cần rõ hơn.",
                 by=_approver(sides, make), at=utcnow())  # fmt: skip
    again = await resubmit(session, engine, keys, application_id=application_id,
                           terms=_terms(sides, duration_days=7), by=_admin(sides, make), at=utcnow())  # fmt: skip
    assert (again.state, again.duration_days, again.reason) == ("submitted", 7, "Cần rõ hơn.")
    names = [e.name for e in await _events(session, sides, application_id)]
    assert names == ["application:return", "application:resubmit"]


async def test_two_approvers_at_once_make_one_agreement(
    database: Database, engine: Engine, keys: Keys, sides: Sides, make: Make
) -> None:
    application_id = await sides.application(database)

    async def say_yes() -> bool:
        try:
            async with database.session() as session:
                await accept(session, engine, keys, application_id=application_id, reason="", granted=Granted(),
                             by=_approver(sides, make), at=utcnow())  # fmt: skip
        except ApplicationWrongState:
            return False
        return True

    assert sorted(await asyncio.gather(*(say_yes() for _ in range(8)))) == [False] * 7 + [True]
    async with database.session() as session:
        rows = select(Agreement).where(Agreement.application_id == application_id)
        assert len((await session.scalars(rows)).all()) == 1


async def test_two_sides_ending_at_once_end_it_once(database: Database, sides: Sides, make: Make) -> None:
    agreement_id = await sides.agreement(database)

    async def finish(by: Approver | StartupAdmin) -> bool:
        try:
            async with database.session() as session:
                await end(session, agreement_id=agreement_id, reason="Xong việc.", by=by, at=utcnow())
        except Conflict:
            return False
        return True

    both = (_approver(sides, make), _admin(sides, make)) * 3
    assert sorted(await asyncio.gather(*(finish(by) for by in both))) == [False] * 5 + [True]


async def test_a_stranger_finds_neither_application_nor_agreement(
    session: AsyncSession, engine: Engine, keys: Keys, database: Database, sides: Sides, make: Make
) -> None:
    stranger = make.caller_of(sides.rival.organisation, sides.rival.person, StartupAdmin)
    assert isinstance(stranger, StartupAdmin)
    with pytest.raises(NotFound):
        await withdraw(session, application_id=await sides.application(database), by=stranger, at=utcnow())
    with pytest.raises(NotFound):
        await end(session, agreement_id=await sides.agreement(database), reason="Không phải của tôi.", by=stranger,
                  at=utcnow())  # fmt: skip


@asynccontextmanager
async def _log_broken(config: Config, database: Database, sides: Sides) -> AsyncIterator[AsyncSession]:
    """A unit of work whose event cannot be written; the verb inside must fail."""
    with broken_audit(config, sides.startup.organisation.id), pytest.raises(DBAPIError, match="broken for a test"):
        async with database.session() as session:
            yield session


async def test_without_its_event_nothing_is_changed(
    config: Config, engine: Engine, keys: Keys, database: Database, sides: Sides, make: Make
) -> None:
    admin, approver, at = _admin(sides, make), _approver(sides, make), utcnow()
    submitted, agreed, new = await sides.application(database), await sides.agreement(database), new_id()
    returned = await sides.application(database, state="returned")
    async with database.session() as session:
        colleague = await make.person(session, sides.startup.organisation, roles=["analyst"])
    async with _log_broken(config, database, sides) as session:
        await apply(
            session,
            engine,
            keys,
            application_id=new,
            dataset_id=sides.dataset_id,
            terms=_terms(sides, people=(colleague.id,)),
            by=admin,
            at=at,
        )
    async with _log_broken(config, database, sides) as session:
        await accept(session, engine, keys, application_id=submitted, reason="", granted=Granted(), by=approver,
                     at=at)  # fmt: skip
    async with _log_broken(config, database, sides) as session:
        await withdraw(session, application_id=submitted, by=admin, at=at)
    async with _log_broken(config, database, sides) as session:
        await resubmit(
            session, engine, keys, application_id=returned, terms=_terms(sides, duration_days=7), by=admin, at=at
        )
    async with _log_broken(config, database, sides) as session:
        await end(session, agreement_id=agreed, reason="Xong việc.", by=approver, at=at)
    async with database.session() as session:
        assert await session.get(Application, new) is None
        assert (await session.get_one(Application, submitted)).state == "submitted"
        assert (await session.get_one(Application, returned)).duration_days == 30
        assert (await session.get_one(Agreement, agreed)).ended_at is None
        assert not await session.scalar(select(Agreement.id).where(Agreement.application_id == submitted))
