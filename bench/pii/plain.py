"""The baseline: for each kind one regular expression, as one writes it first, over each cell; a column is of a kind
where three tenths of its filled cells match."""

from __future__ import annotations

import re

from bench.pii.labelled import Labelled, Said

_RULES = {
    "citizen_id": r"(?<!\d)\d{12}(?!\d)", "old_citizen_id": r"(?<!\d)\d{9}(?!\d)",
    "phone": r"(?<!\d)(?:\+?84|0)(?:[\s.-]?\d){9}(?!\d)", "tax_code": r"(?<!\d)\d{10}(?:-\d{3})?(?!\d)",
    "social_insurance": r"(?<!\d)\d{10}(?!\d)|[A-Z]{2}\d{13}",
    "plate": r"\b\d{2}-?[A-Z][A-Z0-9]?[ -.]?\d{3,5}(?:\.\d{2})?\b", "passport": r"\b[A-Z]\d{7,8}\b",
    "bank_card": r"(?<!\d)\d(?:[ -]?\d){15,18}(?!\d)", "email": r"[\w.%+-]+@[\w.-]+\.[A-Za-z]{2,}",
    "person_name": r"\b(?:Nguyễn|Trần|Lê|Phạm|Hoàng|Huỳnh|Phan|Vũ|Võ|Đặng|Bùi|Đỗ|Hồ|Ngô|Dương|Lý)(?: [A-ZÀ-ỸĐ][a-zà-ỹđ]+){1,3}",
    "address": r"(?i)(?:đường|phường|xã|quận|huyện|thôn|tỉnh|thành phố|\btp\b)",
    "birth_date": r"\b\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)\d{2}\b|\b(?:19|20)\d{2}-\d{2}-\d{2}\b",
    "coordinates": r"\d{1,2}\.\d{4,}\s*,\s*\d{2,3}\.\d{4,}",
}  # fmt: skip
_COMPILED = {kind: re.compile(rule) for kind, rule in _RULES.items()}
_SHARE = 0.3


def plain(column: Labelled) -> Said:
    """Column and cells by the expressions alone; a text in which a tenth matches is no column of that kind."""
    hits = [frozenset(k for k, rule in _COMPILED.items() if rule.search(cell)) for cell in column.cells]
    filled = sum(bool(cell.strip()) for cell in column.cells)
    kinds = frozenset(k for k in _COMPILED if sum(k in hit for hit in hits) >= _SHARE * max(filled, 1))
    return Said(column=kinds, cells=hits)
