"""Kinds of personal data, and which of them names a person by itself."""

from __future__ import annotations

from typing import Final, Literal

Kind = Literal[
    "citizen_id", "old_citizen_id", "phone", "tax_code", "social_insurance", "plate", "passport", "bank_card",
    "email", "person_name", "address", "birth_date", "coordinates", "area", "free_text",
]  # fmt: skip
"""citizen_id: CCCD, 12 digits; old_citizen_id: CMND, 9 digits; social_insurance: BHXH number or BHYT card; area: a
province or ward alone."""

WORDS: Final[dict[str, str]] = {
    "citizen_id": "số căn cước/citizen ID",
    "old_citizen_id": "số CMND/old citizen ID", "phone": "số điện thoại/phone",
    "tax_code": "mã số thuế/tax code", "social_insurance": "số bảo hiểm/insurance number",
    "plate": "biển số/plate",
    "passport": "hộ chiếu/passport", "bank_card": "số thẻ/bank card", "email": "thư điện tử/e-mail",
    "person_name": "tên người/name", "address": "địa chỉ/address", "birth_date": "ngày sinh/birth date",
    "coordinates": "tọa độ/coordinates", "area": "địa bàn/area", "free_text": "văn bản tự do/free text",
    "singles_out": "tách riêng từng người/singles out",
}  # fmt: skip
"""How a finding is told to people, in both languages."""

DIRECT: Final[frozenset[Kind]] = frozenset({
    "citizen_id", "old_citizen_id", "phone", "tax_code", "social_insurance", "plate", "passport", "bank_card",
    "email", "person_name", "address", "coordinates", "free_text",
})  # fmt: skip
"""Names, reaches or finds one person, or may hold what does: published only as a generalisation, if at all."""

INDIRECT: Final[frozenset[Kind]] = frozenset({"birth_date", "area"})
"""Singles out together with other things: published only as a quasi-identifier."""
