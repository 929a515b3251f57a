"""Files with several rows a person: what a manifest makes of them, one row a person, and what it must keep to."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from catalog.positioned import Found, Node

Take = Literal["count", "distinct", "sum", "min", "max", "any", "last"]
_NUMBERS = ("integer", "number")
_ORDERED = (*_NUMBERS, "date", "timestamp")
_TYPES: Final[dict[str, tuple[str, ...]]] = {
    "count": ("integer",), "distinct": ("integer",), "sum": _NUMBERS, "min": _ORDERED, "max": _ORDERED,
    "any": ("boolean",), "last": (*_ORDERED, "text", "boolean"),
}  # fmt: skip
_REJECTED = "max_rejected_share"
_SHOWN = ("quasi-identifier", "sensitive", "measure")


class EventColumn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's value from her rows. `of`: the file's column; `by`: the instants that say which row is the last.

    count: rows (or those with a value of `of`); distinct: different values; any: whether some row says yes; last:
    the value of the last row that has one (of two at one instant the greater). Empty cells do not count.
    """

    take: Take
    of: Annotated[str, Meta(min_length=1)] | None = None
    by: Annotated[str, Meta(min_length=1)] | None = None
    by_format: Annotated[str, Meta(min_length=1)] | None = None
    """Of `by`, as strptime writes it; None: ISO 8601, or 31/12/2025."""


def check_events(tree: Node, columns: list[Node]) -> Found:
    """Each thing that is wrong with `events`, with its place."""
    if "events" not in tree.value or not isinstance(tree.at("events").value, dict):
        return
    events = tree.at("events").value
    if tree.scalar("privacy_unit") == "row":
        yield tree.at("privacy_unit"), "manifest.events_row_unit", {}
    if events and "consent" in tree.value and tree.at("consent").value and tree.at("reading").scalar(_REJECTED):
        yield tree.at("reading", _REJECTED), "manifest.events_rejected_consent", {}
    shown = {str(c.scalar("name")): c for c in columns if c.scalar("role") in _SHOWN}
    for name, (key, event) in events.items():
        if name not in shown:
            yield key, "manifest.event_not_a_column", {"name": str(name)}
        elif isinstance(event.value, dict):
            yield from _event(str(name), event, shown[name])
    for name, column in shown.items():
        if name not in events:
            yield column.at("name"), "manifest.event_missing", {"name": name}


def _event(name: str, event: Node, column: Node) -> Found:
    take, kind = event.scalar("take"), column.scalar("type") or "text"
    if take not in _TYPES:
        return  # the reader has said so
    if kind not in _TYPES[take]:
        yield event.at("take"), "manifest.event_type", {
            "name": name, "take": take, "type": str(kind), "types": ", ".join(_TYPES[take])}  # fmt: skip
    if take != "count" and event.scalar("of") is None:
        yield event.at("take"), "manifest.event_of", {"name": name, "take": take}
    if (take == "last") != (event.scalar("by") is not None):
        yield event.at("take"), "manifest.event_by", {"name": name, "take": take}
    if "by_format" in event.value and take != "last":
        yield event.value["by_format"][0], "manifest.event_by", {"name": name, "take": take}
