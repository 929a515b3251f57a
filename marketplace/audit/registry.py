"""Which events there are: a name (`subject:action`), a version, and the struct that its body has to fit.

A body that changes its form gets the next version, so that whoever reads the log knows which form it has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from marketplace.audit import declared

VERSION = "v"
"""Key in the body of every event whose version is not 1."""
_NAME = re.compile(r"[a-z]+:[a-z_]+")


class EventRefused(TypeError):
    """The event is not declared, or its body does not fit: a fault of who records it, so nothing is recorded."""


class Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the body of a declared event begins from. By itself: an event that says all by its other fields."""


class EventType(Struct, frozen=True, kw_only=True):
    """`told`: when it is written. `counted`: every owner of its dataset reads it, so it counts in the dataset's
    chain; the others would tell an owner when its people speak for themselves."""

    name: str
    version: int
    told: str
    body: type[Body]
    counted: bool


_AnyBody = TypeVar("_AnyBody", bound=Body)
_declared: dict[str, EventType] = {}


def event(
    name: str, told: str, *, version: int = 1, counted: bool = False
) -> Callable[[type[_AnyBody]], type[_AnyBody]]:
    """Declares that the body of event `name` is the decorated struct. Raises ValueError if it was declared."""
    if not _NAME.fullmatch(name) or name in _declared:
        raise ValueError(f"{name}: not subject:action, or declared twice")

    def declare(body: type[_AnyBody]) -> type[_AnyBody]:
        _declared[name] = EventType(name=name, version=version, told=told, body=body, counted=counted)
        return body

    return declare


def declared_types() -> tuple[EventType, ...]:
    """By name."""
    _load()
    return tuple(_declared[name] for name in sorted(_declared))


def names() -> list[str]:
    """Of all events."""
    _load()
    return sorted(_declared)


def counted_names() -> list[str]:
    """Names of the events that count in the chain of their dataset."""
    return [kind.name for kind in declared_types() if kind.counted]


def fitting(name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body as it is recorded: plain values, with the version where it is not 1. Raises EventRefused."""
    _load()
    kind = _declared.get(name)
    if kind is None:
        raise EventRefused(f"{name} is not declared in marketplace/audit/declared")
    try:
        msgspec.convert(body, kind.body)
    except msgspec.ValidationError as wrong:
        raise EventRefused(f"{name}: {wrong}") from wrong
    return dict(body) if kind.version == 1 else {**body, VERSION: kind.version}


@cache
def _load() -> None:
    for module in iter_modules(declared.__path__):
        import_module(f"{declared.__name__}.{module.name}")
