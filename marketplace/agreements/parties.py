"""Which of all callers may do what with applications and agreements; the table is in docs/agreements.md.

Whether what they agree on may be granted, and by an organisation in what standing, is the policy's to say.
"""

from __future__ import annotations

from marketplace.accounts.callers import Analyst, Approver, Caller, Owner, Startup, StartupAdmin, narrow

Applicant = Analyst | StartupAdmin
Ender = Approver | StartupAdmin


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
