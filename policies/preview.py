"""Who could ask what: each kind of startup and each purpose that the policy tells apart, every answer its own.

What is chosen here are facts to ask about, a startup that meets all conditions and ones that miss a single one;
whether it may, with which columns and limits and until when, the engine says, in the order in which it is really
asked: may it be applied for, may the owner accept, may the query run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from msgspec import UNSET, Struct
from msgspec.structs import replace

from policies.decision import (
    AccessQuestion,
    AgreementFacts,
    AgreementQuestion,
    ApplicationFacts,
    BudgetFacts,
    Caller,
    Conditions,
    DatasetFacts,
    Decision,
    Mode,
    OwnerFacts,
    Promises,
    RequestFacts,
    WalletFacts,
)
from policies.engine import Engine
from policies.laws import law_at
from policies.purposes import known, never
from policies.sources import data

Kind = Literal[
    "fit", "time_limit", "users", "institution", "place", "ethics", "results", "suspended", "not_startup"
]
"""fit: meets every condition of the owner. The others miss this one thing and nothing else."""
Stage = Literal["apply", "accept", "access"]
DAY_MS: Final = 86_400_000
BOUNDS: Final = "exchange.agreement"
PERSON: Final = "person"
NOWHERE: Final = "ZZ"
"""A code that ISO 3166 gives to no country."""


class Answer(Struct, frozen=True, kw_only=True):
    """The last word, at the stage that gave it. `judged`: only once the owner has judged the purpose."""

    stage: Stage
    judged: bool
    decision: Decision


class Cell(Struct, frozen=True, kw_only=True):
    """What one kind of startup is told for one purpose, on the longest terms that it can ask for."""

    kind: Kind
    purpose: str
    answer: Answer


class _Startup(Struct, frozen=True, kw_only=True):
    kind: Kind
    applicant: Caller
    people: tuple[str, ...]
    duration_days: int
    promises: Promises


def modes() -> tuple[Mode, ...]:
    """In which a version may be released at all."""
    return tuple(data()["limits"]["modes"])


async def preview(engine: Engine, dataset: DatasetFacts, *, at_ms: int, rows_cap: int) -> tuple[Cell, ...]:
    """Every kind with every purpose. `rows_cap`: records that an agreement may take out."""
    cells = []
    for startup in _startups(dataset.conditions or Conditions(), at_ms):
        for purpose in (*known(), *never()):
            answer = await _asked(engine, startup, purpose, dataset, at_ms, rows_cap)
            cells.append(Cell(kind=startup.kind, purpose=purpose, answer=answer))
    return tuple(cells)


async def granted(engine: Engine, accepted: AgreementQuestion, *, rows_cap: int) -> Answer:
    """Of an application as its owner would accept it: may it be, and what could then be asked at once."""
    judged = bool(accepted.application.purpose_judged)
    decision = await engine.decide(accepted)
    if not decision.allow:
        return Answer(stage="accept", judged=judged, decision=decision)
    query = _query(accepted, decision, rows_cap)
    return Answer(stage="access", judged=judged, decision=await engine.decide(query))


async def _asked(
    engine: Engine, startup: _Startup, purpose: str, dataset: DatasetFacts, at_ms: int, rows_cap: int
) -> Answer:
    application = _application(startup, purpose, dataset, at_ms)
    decision = await engine.decide(application)
    if not decision.allow:
        return Answer(stage="apply", judged=False, decision=decision)
    accepted = replace(application, stage="accept")
    answer = await granted(engine, accepted, rows_cap=rows_cap)
    if answer.decision.allow:
        return answer
    judged = replace(accepted, application=replace(accepted.application, purpose_judged=True))
    anew = await granted(engine, judged, rows_cap=rows_cap)
    # Of two denials the one that came further: a judgement would have helped, and something else is in the way.
    return anew if anew.decision.allow or anew.stage != answer.stage else answer


def _startups(asked: Conditions, at_ms: int) -> Iterator[_Startup]:
    """The one that fits, then one for each thing that the owner demands or the law asks of a startup."""
    fit = _fitting(asked, at_ms)
    yield fit
    if asked.time_limit_days is not None:
        yield replace(fit, kind="time_limit", duration_days=asked.time_limit_days + 1)
    if asked.approved_users_max is not None:
        people = tuple(f"{PERSON}-{n}" for n in range(asked.approved_users_max + 1))
        yield replace(fit, kind="users", people=(PERSON, *people[1:]))
    if asked.institutions is not None:
        yield replace(fit, kind="institution", applicant=replace(fit.applicant, organisation_slug=""))
    if asked.places is not None:
        yield replace(fit, kind="place", promises=replace(fit.promises, place=NOWHERE))
    if asked.ethics_approval:
        yield replace(fit, kind="ethics", promises=replace(fit.promises, ethics_reference=None))
    if asked.return_results:
        yield replace(fit, kind="results", promises=replace(fit.promises, returns_results=False))
    yield replace(fit, kind="suspended", applicant=replace(fit.applicant, organisation_suspended=True))
    yield replace(fit, kind="not_startup", applicant=replace(fit.applicant, organisation_kind="owner"))


def _fitting(asked: Conditions, at_ms: int) -> _Startup:
    bounds = law_at(BOUNDS, at_ms)
    longest = bounds.values["days_max"] if bounds else 1
    return _Startup(
        kind="fit",
        applicant=Caller(
            person_id=PERSON,
            organisation_id="startup",
            organisation_kind="startup",
            organisation_slug=(asked.institutions or ("startup",))[0],
            roles=("analyst",),
            active=True,
            organisation_suspended=False,
        ),
        people=(PERSON,),
        duration_days=longest if asked.time_limit_days is None else min(longest, asked.time_limit_days),
        promises=Promises(place=(asked.places or ("VN",))[0], ethics_reference="preview", returns_results=True),
    )


def _application(startup: _Startup, purpose: str, dataset: DatasetFacts, at_ms: int) -> AgreementQuestion:
    return AgreementQuestion(
        at_ms=at_ms,
        stage="apply",
        applicant=startup.applicant,
        owner=OwnerFacts(organisation_id="owner", suspended=False),
        application=ApplicationFacts(
            id="preview",
            purpose=purpose,
            purpose_judged=False,
            people=startup.people,
            active_people=startup.people,
            duration_days=startup.duration_days,
            expires_at_ms=at_ms + startup.duration_days * DAY_MS,
            promises=startup.promises,
            limits={},
        ),
        dataset=dataset,
    )


def _query(accepted: AgreementQuestion, decision: Decision, rows_cap: int) -> AccessQuestion:
    """The widest question under what would be agreed, at its first instant and free of charge."""
    application, owed = accepted.application, decision.obligations
    assert owed is not None  # an allowed decision carries obligations
    asks = next(iter(application.people or ()), accepted.applicant.person_id)
    return AccessQuestion(
        at_ms=accepted.at_ms,
        caller=replace(accepted.applicant, person_id=asks),
        agreement=AgreementFacts(
            id=application.id,
            startup_id=accepted.applicant.organisation_id,
            dataset_id=accepted.dataset.id,
            purpose=application.purpose,
            purpose_judged=application.purpose_judged,
            people=application.people,
            columns=owed.columns,
            valid_from_ms=accepted.at_ms,
            expires_at_ms=owed.expires_at,
            ended=False,
            promises=application.promises,
            limits={axis: value for axis, value in (application.limits or {}).items() if axis != "columns"},
        ),
        dataset=accepted.dataset,
        request=RequestFacts(
            purpose=application.purpose or "",
            columns=owed.columns,
            price_vnd=0,
            rows_cap=rows_cap,
            rows_released=0,
        ),
        wallet=WalletFacts(available_vnd=0),
        budget=BudgetFacts(cost_micro=0, left_micro=0, epsilon=0.0) if accepted.dataset.mode == "dp" else UNSET,
    )
