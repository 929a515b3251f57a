"""The form over the log: its fields as they stand in the address, and the search that they ask for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final, get_args
from uuid import UUID

from marketplace.calendar import VIETNAM
from marketplace.oversight.search import Outcome, Search, StateClass, SubjectClass
from marketplace.web.forms import whole, wrong
from marketplace.web.words import words
from policies.purposes import known

FIELDS: Final = (
    "q", "name", "dataset", "organisation", "purpose", "subject_class", "state_class", "decision", "code", "since",
    "until", "min_vnd", "max_vnd",
)  # fmt: skip
CHARACTERS: Final = 200
"""Of one field."""
MAX_VND: Final = 2**53
CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "name": tuple(key.removeprefix("event.") for key in words() if key.startswith("event.")),
    "purpose": tuple(known()),
    "subject_class": get_args(SubjectClass),
    "state_class": get_args(StateClass),
    "decision": get_args(Outcome),
}


def asked_fields(query: Mapping[str, Any]) -> dict[str, str]:
    """Every field of the form, empty where it was not filled in. Raises Invalid for one that is absurdly long."""
    fields = {name: str(query.get(name, "")).strip() for name in FIELDS}
    for name, value in fields.items():
        if len(value) > CHARACTERS:
            raise wrong(name, "form.text")
    return fields


def search_of(fields: Mapping[str, str]) -> Search:
    """The search that the fields ask for. Raises Invalid naming the field that is wrong."""
    for name in ("subject_class", "state_class", "decision"):
        if fields[name] and fields[name] not in CHOICES[name]:
            raise wrong(name, "form.text")
    texts = {name: fields[name] or None for name in (*CHOICES, "code", "q")}
    return Search(
        **texts,  # type: ignore[arg-type]
        dataset_id=_id("dataset", fields["dataset"]),
        organisation_id=_id("organisation", fields["organisation"]),
        since=_start("since", fields["since"]),
        until=_start("until", fields["until"], days=1),
        min_vnd=_amount("min_vnd", fields["min_vnd"]),
        max_vnd=_amount("max_vnd", fields["max_vnd"]),
    )


def fields_of(search: Search) -> dict[str, str]:
    """The fields that ask for a search; what the form has no field for is left out."""
    day = timedelta(days=1)
    said = {
        "dataset": search.dataset_id, "organisation": search.organisation_id, "min_vnd": search.min_vnd,
        "max_vnd": search.max_vnd,
        "since": search.since and search.since.astimezone(VIETNAM).date(),
        "until": search.until and (search.until.astimezone(VIETNAM) - day).date(),
        **{name: getattr(search, name) for name in (*CHOICES, "code", "q")},
    }  # fmt: skip
    return {name: str(value) for name, value in said.items() if value is not None}


def _id(name: str, text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise wrong(name, "form.id") from error


def _amount(name: str, text: str) -> int | None:
    """Whole đồng, with or without the dots that Vietnamese sets between thousands."""
    amount = whole(name, text) if text else None
    if amount is not None and not 0 <= amount <= MAX_VND:
        raise wrong(name, "form.integer")
    return amount


def _start(name: str, text: str, *, days: int = 0) -> datetime | None:
    """The first instant of a day in Viet Nam, `days` later."""
    try:
        day = date.fromisoformat(text) if text else None
        return datetime.combine(day, time.min, VIETNAM) + timedelta(days=days) if day else None
    except (ValueError, OverflowError) as error:
        raise wrong(name, "form.day") from error
