"""A search over the log: what is asked for, as conditions on the rows of events and as terms of the index."""

from __future__ import annotations

from collections.abc import Iterator, Set
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement

from marketplace.audit.models import Event
from marketplace.audit.reads import Viewer
from marketplace.audit.registry import names
from marketplace.errors import Forbidden, Invalid
from marketplace.oversight import terms

SubjectClass = Literal["none", "basic", "sensitive"]
StateClass = Literal["public", "internal", "important", "core"]
Outcome = Literal["allow", "deny"]


class Search(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which events; None does not restrict. `since` and both amounts are included, `until` is not.

    `q`: every word of it begins a word of the event, or of one letter is one; folded as the catalogue folds.
    """

    event_id: UUID | None = None
    query_id: UUID | None = None
    dataset_id: UUID | None = None
    agreement_id: UUID | None = None
    organisation_id: UUID | None = None
    person_id: UUID | None = None
    name: str | None = None
    purpose: str | None = None
    subject_class: SubjectClass | None = None
    state_class: StateClass | None = None
    decision: Outcome | None = None
    code: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    min_vnd: int | None = None
    max_vnd: int | None = None
    q: str | None = None

    @property
    def told(self) -> dict[str, Any]:
        """It as an event says it: without the words, which may name a person."""
        shown: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(self, q=None))
        return shown

    @property
    def secrets(self) -> dict[str, str]:
        """What an event only commits to, so that it can be erased."""
        return {"q": self.q} if self.q else {}

    @property
    def names_one(self) -> bool:
        """Whether it asks for one event or query, of which the log has a handful of rows."""
        return self.event_id is not None or self.query_id is not None


class Group(Struct, frozen=True):
    """Terms of which an event must have one; or the beginning of one."""

    terms: tuple[str, ...] = ()
    prefix: str | None = None

    def holds(self, found: Set[str]) -> bool:
        if self.prefix is not None:
            return any(each.startswith(self.prefix) for each in found)
        return not found.isdisjoint(self.terms)


def require_known(search: Search) -> None:
    """Raises Invalid for a name that no event has: nothing would be found, as if nothing had happened."""
    if search.name is None or search.name in (known := names()):
        return
    asked = search.name.lower()
    near = get_close_matches(asked, known, n=3, cutoff=0.5) or [each for each in known if asked in each.split(":")]
    params = {"use": ", ".join(near[:3] or known[:3])}
    raise Invalid(errors=[{"path": "name", "code": "search.unknown_event", "params": params}])


def groups(viewer: Viewer, search: Search) -> tuple[Group, ...]:
    """What the index is asked for; all must hold. Raises Forbidden where that would tell what is not shown."""
    if viewer.view == "operator" and (search.q or search.code or search.decision):
        raise Forbidden(needs=":".join(("regulator", "reader")))
    return (*_groups(viewer, search), *untold(search))


def untold(search: Search) -> tuple[Group, ...]:
    """Those of them that `rows` does not ask for."""
    classes = {
        terms.of_subject_class: search.subject_class,
        terms.of_state_class: search.state_class,
    }
    exact = [Group((term(value),)) for term, value in classes.items() if value is not None]
    return (*exact, *(_word(each) for each in terms.beginnings(search.q or "")))


def _word(beginning: str) -> Group:
    """One letter begins a good part of all words; it is looked for as a word."""
    return Group((beginning,)) if len(beginning) == len(terms.word("x")) else Group(prefix=beginning)


def rows(viewer: Viewer, search: Search, event: type[Event] = Event) -> list[ColumnElement[bool]]:
    """The same on the rows themselves, as far as they tell it: what the index says is never all that stands
    between a viewer and another tenant's event."""
    equal = {
        event.id: search.event_id,
        event.query_id: search.query_id,
        event.dataset_id: search.dataset_id,
        event.agreement_id: search.agreement_id,
        event.actor_person_id: search.person_id,
        event.name: search.name,
        event.purpose: search.purpose,
    }
    found = [column == value for column, value in equal.items() if value is not None]
    parties = {None if viewer.sees_all else viewer.organisation_id, search.organisation_id} - {None}
    if parties:
        found.append(event.parties.contains(sorted(parties, key=str)))
    if search.decision is not None:
        found.append(event.body["decision"].contains({"allow": search.decision == "allow"}))
    if search.code is not None:
        found.append(event.body["decision"].contains({"reasons": [{"code": search.code}]}))
    bounds = (
        (event.at.__ge__, search.since), (event.at.__lt__, search.until),
        (event.price_vnd.__ge__, search.min_vnd), (event.price_vnd.__le__, search.max_vnd),
    )  # fmt: skip
    found += [bound(value) for bound, value in bounds if value is not None]
    return found


def _groups(viewer: Viewer, search: Search) -> Iterator[Group]:
    if not viewer.sees_all:
        yield Group((terms.party(viewer.organisation_id),))
    for value, term in (
        (search.dataset_id, terms.dataset), (search.agreement_id, terms.agreement),
        (search.person_id, terms.person), (search.organisation_id, terms.party), (search.name, terms.named),
        (search.purpose, terms.purposed), (search.code, terms.reason), (search.decision, terms.decided),
    ):  # fmt: skip
        if value is not None:
            yield Group((term(value),))
    if search.min_vnd is not None or search.max_vnd is not None:
        most = terms.MAX_VND if search.max_vnd is None else search.max_vnd
        yield Group(terms.amounts(search.min_vnd or 0, most))
