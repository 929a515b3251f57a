"""Kinds of personal data, and which of them names a person by itself."""

from __future__ import annotations

from typing import Final, Literal

Kind = Literal[
    "citizen_id", "old_citizen_id", "phone", "tax_code", "social_insurance", "plate", "passport", "bank_card",
    "email", "person_name", "address", "birth_date", "coordinates", "area", "free_text",
]  # fmt: skip
"""citizen_id: CCCD, 12 digits; old_citizen_id: CMND, 9 digits; social_insurance: BHXH number or BHYT card; area: a
province or ward alone."""

DIRECT: Final[frozenset[Kind]] = frozenset({
    "citizen_id", "old_citizen_id", "phone", "tax_code", "social_insurance", "plate", "passport", "bank_card",
    "email", "person_name", "address", "coordinates", "free_text",
})  # fmt: skip
"""Names, reaches or finds one person, or may hold what does: published only as a generalisation, if at all."""

INDIRECT: Final[frozenset[Kind]] = frozenset({"birth_date", "area"})
"""Singles out together with other things: published only as a quasi-identifier."""
