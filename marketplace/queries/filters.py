"""The row filter of a decision as the sandbox takes it: in the terms of the version that is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from catalog.version import Version
from sandbox.disclosure.row_filter import RowFilterUnknown
from sandbox.job import RowFilter

_KEYS = frozenset({"column", "in", "low", "high"})


def row_filter(version: Version, asked: Sequence[Mapping[str, Any]]) -> tuple[RowFilter, ...]:
    """`asked`: each `{column, in: [..]}` or `{column, low?, high?}`, of a quasi-identifier.

    RowFilterUnknown for another form or column: only quasi-identifiers choose whole cohorts (invariant 3).
    """
    columns = {c.name: c.type for c in version.columns if c.role == "quasi-identifier"}
    found = []
    for one in asked:
        name = one.get("column")
        if name not in columns or not one.keys() <= _KEYS:
            raise RowFilterUnknown(str(name))
        told = {"column": name, "type": columns[name], "values": one.get("in", ()), "low": one.get("low"),
                "high": one.get("high")}  # fmt: skip
        try:
            found.append(msgspec.convert(told, RowFilter))
        except msgspec.ValidationError as unknown:
            raise RowFilterUnknown(str(name)) from unknown
    return tuple(found)
