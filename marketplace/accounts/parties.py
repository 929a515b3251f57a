"""Which kinds of organisation there are, and which roles their people can have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from marketplace.errors import Invalid

ROLES: dict[str, frozenset[str]] = {
    "owner": frozenset({"steward", "approver"}),
    "startup": frozenset({"admin", "analyst"}),
    "regulator": frozenset({"reader"}),
    "operator": frozenset({"operator"}),
}

SECTORS = (
    "finance", "health", "education", "transport", "commerce", "technology", "research", "public", "other",
)  # fmt: skip
"""What citizens are told of who used their data, instead of a name."""
NAME_CHARACTERS = 200
_SLUG = re.compile(r"^[a-z0-9](-?[a-z0-9]){1,60}$")
_EMAIL = re.compile(r"^[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s]{1,60}$")
_TAX_CODE = re.compile(r"^\d{10}(-?\d{3})?$")


def check_organisation(*, kind: str, name: str, slug: str, tax_code: str | None, sector: str | None) -> None:
    """Raises Invalid with every field that is wrong."""
    wrong = [_name(name)]
    if kind not in ROLES:
        wrong.append(_wrong("kind", "accounts.kind", known=sorted(ROLES)))
    if not _SLUG.match(slug):
        wrong.append(_wrong("slug", "accounts.slug"))
    if tax_code is not None and not _TAX_CODE.match(tax_code):
        wrong.append(_wrong("tax_code", "accounts.tax_code"))
    if sector is not None and sector not in SECTORS:
        wrong.append(_wrong("sector", "accounts.sector", known=SECTORS))
    _raise(wrong)


def check_person(*, kind: str, email: str, name: str, roles: Sequence[str]) -> None:
    """Raises Invalid with every field that is wrong; `kind` is the organisation's."""
    wrong = [_name(name)]
    if not _EMAIL.match(email):
        wrong.append(_wrong("email", "accounts.email"))
    if not roles or not set(roles) <= ROLES[kind]:
        wrong.append(_wrong("roles", "accounts.roles", kind=kind, known=sorted(ROLES[kind])))
    _raise(wrong)


def _name(name: str) -> dict[str, Any] | None:
    if 0 < len(name.strip()) <= NAME_CHARACTERS:
        return None
    return _wrong("name", "accounts.name", most=NAME_CHARACTERS)


def _wrong(path: str, code: str, **params: Any) -> dict[str, Any]:
    return {"path": path, "code": code, "params": params}


def _raise(wrong: list[dict[str, Any] | None]) -> None:
    errors = [each for each in wrong if each is not None]
    if errors:
        raise Invalid(errors=errors)
