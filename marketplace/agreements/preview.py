"""The owner's preview, who could ask what: of a manifest, of an acceptance, and of what stands now."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace
from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.manifest import Manifest
from catalog.version import Privacy
from marketplace.accounts.callers import Approver, Owner, Steward
from marketplace.agreements.budget import least_budget
from marketplace.agreements.errors import NothingListed
from marketplace.agreements.facts import agreement_question
from marketplace.agreements.models import Application
from marketplace.agreements.terms import Granted, wanted_expiry
from marketplace.config import Config
from marketplace.db.base import ms_of, utcnow
from marketplace.errors import NotFound
from marketplace.listings.facts import announced_facts, dataset_facts
from marketplace.listings.known import previous_facts, publisher_facts
from marketplace.listings.parsing import parse_manifest
from marketplace.listings.permission import decide_listing
from marketplace.listings.reads import listed_version
from marketplace.texts import LANGUAGES, Language, Message, message
from policies.decision import (
    AccessQuestion,
    AgreementFacts,
    Caller,
    DatasetFacts,
    Decision,
    Promises,
    RequestFacts,
    WalletFacts,
)
from policies.engine import Engine
from policies.preview import Answer, Kind, Stage, granted, modes, preview

Messages = dict[Language, Message]
AGREEMENTS = 200
"""Of those in force, the newest: a page is read by people."""
IN_FORCE = text("""
select a.id, a.startup_id, a.purpose, a.purpose_judged, a.people, a.columns, a.valid_from, a.expires_at,
       a.promises, a.limits, s.name as startup_name, s.kind, s.slug, s.suspended_at is not null as suspended,
       p.roles, p.id as person_id, p.name as person_name, p.deactivated_at is null as active,
       coalesce((select m.records from agreement_meter m where m.agreement_id = a.id), 0) as records
from agreement a join organisation s on s.id = a.startup_id join person p on p.id = any(a.people)
where a.dataset_id = :dataset and a.ended_at is null and a.expires_at > :at
order by a.id desc, p.name limit :most
""")


class DecisionView(Struct, frozen=True, kw_only=True):
    """`messages`: of the decision's reasons, in their order."""

    decision: Decision
    messages: tuple[Messages, ...]


class AnswerView(DecisionView, frozen=True, kw_only=True):
    """The policy's last word. `stage`: apply | accept | access, at which it was given; `judged`: only once the
    owner has judged the purpose."""

    stage: Stage
    judged: bool


class CellView(Struct, frozen=True, kw_only=True):
    """What one kind of startup would be told for one purpose."""

    kind: Kind
    purpose: str
    answer: AnswerView


class StandingView(Struct, frozen=True, kw_only=True):
    """What one person may ask now under an agreement in force, price aside."""

    agreement_id: UUID
    startup_name: str
    person_name: str
    purpose: str
    answer: AnswerView


class PreviewView(Struct, frozen=True, kw_only=True):
    """`listing`: whether the manifest could be published at all; None of what is listed, which alone has
    `standing`."""

    dataset: str
    mode: str
    persons: int
    listing: DecisionView | None
    cells: tuple[CellView, ...]
    standing: tuple[StandingView, ...] = ()
    others: tuple[PreviewView, ...] = ()
    """Of a manifest: the same in each other mode."""


async def preview_manifest(
    session: AsyncSession, engine: Engine, config: Config, *, manifest_text: str, persons: int, by: Steward
) -> PreviewView:
    """Before publication, of a version that would hold so many persons. Raises ManifestWrong."""
    manifest = await asyncio.to_thread(parse_manifest, manifest_text)
    caller = await publisher_facts(session, person_id=by.person_id, organisation_id=by.organisation_id)
    ask = partial(_announced, engine, config, caller, persons)
    own = await ask(manifest)
    # What dp mode would need is declared in that mode only.
    modes_of_it = [mode for mode in modes() if mode != manifest.mode and (mode != "dp" or manifest.privacy)]
    others = [await ask(replace(manifest, mode=mode)) for mode in modes_of_it]
    return replace(own, others=tuple(others))


async def _announced(
    engine: Engine, config: Config, caller: Caller, persons: int, manifest: Manifest
) -> PreviewView:
    listing = (await decide_listing(engine, caller=caller, manifest=manifest)).decision
    cap = config.rows_cap_multiple * persons
    cells = await preview(engine, announced_facts(manifest, persons=persons), at_ms=ms_of(utcnow()), rows_cap=cap)
    return PreviewView(
        dataset=manifest.dataset,
        mode=manifest.mode,
        persons=persons,
        listing=DecisionView(decision=listing, messages=_messages(listing)),
        cells=tuple(CellView(kind=c.kind, purpose=c.purpose, answer=_view(c.answer)) for c in cells),
    )


async def preview_listed(
    session: AsyncSession, engine: Engine, config: Config, *, dataset: UUID | str, by: Owner
) -> PreviewView:
    """Of the version that is listed now, and of the agreements in force. Raises NotFound for another owner's."""
    listed = await listed_version(session, dataset)
    if listed is None or listed.owner_id != by.organisation_id:
        raise NotFound
    version, at = listed.version, utcnow()
    asked = {"dataset": listed.dataset_id, "at": at, "most": AGREEMENTS}
    rows = (await session.execute(IN_FORCE, asked)).mappings().all()
    was = await previous_facts(session, version.id)
    facts = dataset_facts(listed.dataset_id, version, state_class=was.state_class)
    cap = config.rows_cap_multiple * version.rows
    cells = await preview(engine, facts, at_ms=ms_of(at), rows_cap=cap)
    asked_now = [_widest(row, facts, ms_of(at), cap) for row in rows]
    questions = [await _budgeted(session, config, version.privacy, question) for question in asked_now]
    return PreviewView(
        dataset=version.dataset,
        mode=version.mode,
        persons=version.persons,
        listing=None,
        cells=tuple(CellView(kind=c.kind, purpose=c.purpose, answer=_view(c.answer)) for c in cells),
        standing=tuple(
            [await _standing(engine, row, question) for row, question in zip(rows, questions, strict=True)]
        ),
    )


async def preview_acceptance(
    session: AsyncSession,
    engine: Engine,
    config: Config,
    *,
    application_id: UUID,
    terms: Granted,
    by: Approver,
    at: datetime,
) -> AnswerView:
    """What the startup could ask if this were accepted so. Raises NotFound, NothingListed, Invalid."""
    mine = (Application.id == application_id, Application.owner_id == by.organisation_id)
    application = await session.scalar(select(Application).where(*mine))
    if application is None:
        raise NotFound
    listed = await listed_version(session, application.dataset_id)
    if listed is None:
        raise NothingListed
    until = wanted_expiry(wanted=terms.expires_at, duration_days=application.duration_days, at=at)
    question = await agreement_question(
        session, application, listed, granted=terms, expires_at=until, stage="accept", at=at
    )
    return _view(await granted(engine, question, rows_cap=config.rows_cap_multiple * listed.version.rows))


async def _standing(engine: Engine, row: RowMapping, question: AccessQuestion) -> StandingView:
    decision = await engine.decide(question)
    return StandingView(
        agreement_id=row["id"],
        startup_name=row["startup_name"],
        person_name=row["person_name"],
        purpose=row["purpose"],
        answer=_view(Answer(stage="access", judged=row["purpose_judged"], decision=decision)),
    )


async def _budgeted(
    session: AsyncSession, config: Config, privacy: Privacy | UnsetType, question: AccessQuestion
) -> AccessQuestion:
    """In dp mode: as the question with most noise, which a budget covers longest."""
    if privacy is UNSET:
        return question
    agreement_id = UUID(question.agreement.id)
    budget = await least_budget(session, agreement_id, privacy, config.dp_rho_least_micro)
    return replace(question, budget=budget)


def _widest(row: RowMapping, dataset: DatasetFacts, at_ms: int, cap: int) -> AccessQuestion:
    """Of that person: all columns agreed that are still there, free of charge."""
    return AccessQuestion(
        at_ms=at_ms,
        caller=Caller(
            person_id=str(row["person_id"]),
            organisation_id=str(row["startup_id"]),
            organisation_kind=row["kind"],
            organisation_slug=row["slug"],
            roles=tuple(row["roles"]),
            active=row["active"],
            organisation_suspended=row["suspended"],
        ),
        agreement=AgreementFacts(
            id=str(row["id"]),
            startup_id=str(row["startup_id"]),
            dataset_id=dataset.id,
            purpose=row["purpose"],
            purpose_judged=row["purpose_judged"],
            people=tuple(str(person) for person in row["people"]),
            columns=tuple(row["columns"]),
            valid_from_ms=ms_of(row["valid_from"]),
            expires_at_ms=ms_of(row["expires_at"]),
            ended=False,
            promises=msgspec.convert(row["promises"], Promises),
            limits=row["limits"],
        ),
        dataset=dataset,
        request=RequestFacts(
            purpose=row["purpose"],
            columns=tuple(row["columns"]),
            price_vnd=0,
            rows_cap=cap,
            rows_released=row["records"],
        ),
        wallet=WalletFacts(available_vnd=0),
    )


def _view(answer: Answer) -> AnswerView:
    return AnswerView(
        stage=answer.stage,
        judged=answer.judged,
        decision=answer.decision,
        messages=_messages(answer.decision),
    )


def _messages(decision: Decision) -> tuple[Messages, ...]:
    return tuple(
        {language: message(reason.code, reason.params, language) for language in LANGUAGES}
        for reason in decision.reasons
    )
