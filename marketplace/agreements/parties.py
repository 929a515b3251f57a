"""Which of all callers may do what with applications and agreements; the table is in docs/agreements.md."""

from __future__ import annotations

from typing import TypeVar

from marketplace.accounts.callers import Analyst, Approver, Caller, Owner, Startup, StartupAdmin, narrow
from marketplace.accounts.errors import OrganisationSuspended

C = TypeVar("C", bound=Caller)
Applicant = Analyst | StartupAdmin
Ender = Approver | StartupAdmin


def as_side(caller: Caller) -> Owner | Startup:
    """Any person of an owner or a startup, to read. Raises Forbidden, ScopeMissing."""
    caller.require("read")
    if caller.organisation_kind == "owner":
        return narrow(caller, Owner, "owner", None)
    return narrow(caller, Startup, "startup", None)


def as_applicant(caller: Caller) -> Applicant:
    """An admin or an analyst of a startup. Raises Forbidden, ScopeMissing, OrganisationSuspended."""
    caller.require("agree")
    if "admin" in caller.roles:
        return in_good_standing(narrow(caller, StartupAdmin, "startup", "admin"))
    return in_good_standing(narrow(caller, Analyst, "startup", "analyst"))


def as_ender(caller: Caller) -> Ender:
    """Who may end an agreement: the owner's approver, the startup's admin. Raises Forbidden, ScopeMissing."""
    caller.require("agree")
    if caller.organisation_kind == "owner":
        return narrow(caller, Approver, "owner", "approver")
    return narrow(caller, StartupAdmin, "startup", "admin")


def as_decider(approver: Approver) -> Approver:
    """Raises ScopeMissing, OrganisationSuspended: what is suspended agrees to nothing new."""
    approver.require("agree")
    return in_good_standing(approver)


def in_good_standing(caller: C) -> C:
    """Raises OrganisationSuspended."""
    if caller.organisation_suspended:
        raise OrganisationSuspended
    return caller
