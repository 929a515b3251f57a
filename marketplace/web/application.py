"""The page of one application: what it asks for, and what its reader may do about it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from litestar.response import Template
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.accounts.reads import colleagues
from marketplace.agreements.parties import as_side
from marketplace.agreements.preview import AnswerView
from marketplace.agreements.reads import read_application
from marketplace.agreements.schemas import ApplicationView
from marketplace.agreements.terms import Terms
from marketplace.errors import Problem
from marketplace.listings.reads import read_dataset
from marketplace.web.explain import what_is_wrong
from marketplace.web.view import View
from policies.decision import Conditions


class Entered(Struct, frozen=True, kw_only=True):
    """What the approver had filled in, shown again after a mistake or a preview. `columns` None: all of them."""

    decision: str = ""
    reason: str = ""
    expires_on: str = ""
    columns: tuple[str, ...] | None = None
    max_rows: str = ""
    purpose_judged: bool = False


async def application_page(
    view: View,
    caller: Caller,
    session: AsyncSession,
    application_id: uuid.UUID,
    *,
    terms: Terms | None = None,
    typed: Mapping[str, str] | None = None,
    entered: Entered | None = None,
    answer: AnswerView | None = None,
    problem: Problem | None = None,
) -> Template:
    """`answer`: what the policy would say if it were accepted as `entered`. Raises NotFound."""
    side = as_side(caller)
    application = await read_application(
        session, application_id=application_id, organisation_id=side.organisation_id
    )
    dataset = await read_dataset(session, application.dataset_id)
    return view.page(
        "application.html",
        application=application,
        terms=terms or _terms_of(application),
        typed=typed,
        key="",
        entered=entered or Entered(),
        answer=answer,
        columns=tuple(column.name for column in dataset.columns) if dataset else (),
        mode=dataset.mode if dataset else "",
        purposes=dataset.purposes if dataset else (),
        conditions=dataset.conditions if dataset else Conditions(),
        colleagues=await colleagues(session, application.startup_id) if _edits(caller, application) else (),
        **what_is_wrong(view, problem),
    )


def _edits(caller: Caller, application: ApplicationView) -> bool:
    return caller.organisation_id == application.startup_id and application.state == "returned"


def _terms_of(application: ApplicationView) -> Terms:
    return Terms(
        purpose=application.purpose,
        justification=application.justification,
        duration_days=application.duration_days,
        people=tuple(person.id for person in application.people),
        promises=application.promises,
    )
