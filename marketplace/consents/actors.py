"""Who may say something about consent: the owner for its people, or a person for herself."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from marketplace.accounts.callers import Owner


class DataSubject(Struct, frozen=True, kw_only=True):
    """A person who speaks for herself. `subject`: the id that her sign-in vouches for; it is kept nowhere."""

    subject: str


Actor = Owner | DataSubject


class Traced(Struct, frozen=True, kw_only=True):
    """What the log and the register may hold of an actor."""

    person_id: UUID | None
    organisation_id: UUID | None
    parties: tuple[UUID, ...]
    """Who may read the event. What a person said herself the owner sees in monthly totals only."""


def traced(by: Actor) -> Traced:
    """An owner with person and organisation; a data subject with nothing at all."""
    if isinstance(by, DataSubject):
        return Traced(person_id=None, organisation_id=None, parties=())
    return Traced(person_id=by.person_id, organisation_id=by.organisation_id, parties=(by.organisation_id,))
