"""Which of all callers may do what with applications and agreements; the table is in docs/agreements.md.

Whether what they agree on may be granted, and by an organisation in what standing, is the policy's to say.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, or_

from marketplace.accounts.callers import Analyst, Approver, Caller, Owner, Startup, StartupAdmin, narrow
from marketplace.agreements.models import Agreement, Application

Applicant = Analyst | StartupAdmin
Ender = Approver | StartupAdmin


def parties_of(agreed: Application | Agreement) -> tuple[UUID, ...]:
    """Whose matter an application or agreement is: owner, startup, and of a joint dataset the other owner."""
    beside = () if agreed.partner_id is None else (agreed.partner_id,)
    return (agreed.owner_id, agreed.startup_id, *beside)


def of_organisation(table: type[Application | Agreement], organisation_id: UUID) -> ColumnElement[bool]:
    """Condition: the organisation is one of its parties."""
    return or_(
        table.owner_id == organisation_id,
        table.startup_id == organisation_id,
        table.partner_id == organisation_id,
    )


def as_side(caller: Caller) -> Owner | Startup:
    """Any person of an owner or a startup, to read. Raises Forbidden, ScopeMissing."""
    caller.require("read")
    if caller.organisation_kind == "owner":
        return narrow(caller, Owner, "owner", None)
    return narrow(caller, Startup, "startup", None)


def as_applicant(caller: Caller) -> Applicant:
    """An admin or an analyst of a startup. Raises Forbidden, ScopeMissing."""
    caller.require("agree")
    if "admin" in caller.roles:
        return narrow(caller, StartupAdmin, "startup", "admin")
    return narrow(caller, Analyst, "startup", "analyst")


def as_ender(caller: Caller) -> Ender:
    """Who may end an agreement: the owner's approver, the startup's admin. Raises Forbidden, ScopeMissing."""
    caller.require("agree")
    if caller.organisation_kind == "owner":
        return narrow(caller, Approver, "owner", "approver")
    return narrow(caller, StartupAdmin, "startup", "admin")


def as_decider(approver: Approver) -> Approver:
    """Raises ScopeMissing."""
    approver.require("agree")
    return approver
