"""What the framework says of a wrong field, in English of its own, as a code with a text in both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from litestar import Request
from litestar.datastructures import State

_SHAPES: Final = tuple(
    (re.compile(shape), code)
    for shape, code in (
        (r"Object missing required field `(?P<field>.*)`", "field.missing"),
        (r"Missing required .*", "field.missing"),
        (r"Object contains unknown field `(?P<field>.*)`", "field.unknown"),
        (r"Expected `(?P<expected>[^`]+)`, got `(?P<found>[^`]+)`", "field.type"),
        (r"Invalid enum value (?P<found>.*)", "field.choice"),
        (r"Expected `str` matching regex '(?P<pattern>.*)'", "field.pattern"),
        (r"Expected `\w+` of length (?P<bounds>[<>]= \d+|\d+)", "field.length"),
        (r"Expected `array` of (?:length|at least length|at most length) (?P<bounds>.*)", "field.length"),
        (r"Expected `(?:int|float)` (?P<bounds>[<>]=? .*)", "field.number"),
        (r"Expected `(?:int|float)` that's a multiple of (?P<bounds>.*)", "field.number"),
        (r"(?:Integer value|Number|Duration is|Integer) out of range", "field.number"),
        (r"Expected `\w+` with a timezone component", "request.instant"),
        (r"Invalid RFC3339 encoded (?P<expected>\w+)", "field.time"),
        (r"Invalid UUID(?: bytes)?", "field.id"),
    )
)
"""msgspec's sentences (0.21), by what is wrong; `bounds` as it writes them: `<= 20`, `>= 1`."""


def wrong_field(error: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """{path, code, params} of one of the framework's {key, message}.

    `names`: of parameters whose name in the request is another than in Python. What no shape fits keeps the
    framework's own words as a parameter of `field.other`."""
    first, dot, rest = str(error.get("key", "")).partition(".")
    path, said = names.get(first, first) + dot + rest, str(error.get("message", ""))
    for shape, code in _SHAPES:
        if match := shape.fullmatch(said):
            found = {name: value for name, value in match.groupdict().items() if value is not None}
            return {"path": path, "code": code, "params": {"path": path, "field": path, **found}}
    return {"path": path, "code": "field.other", "params": {"path": path, "said": said}}


def names_of(request: Request[Any, Any, State]) -> dict[str, str]:
    """Of the handler's parameters, by their names in Python."""
    model = getattr(request.scope.get("route_handler"), "signature_model", None)
    fields = getattr(model, "_fields", {})
    given = {name: getattr(field.kwarg_definition, "name", None) for name, field in fields.items()}
    return {name: str(other) for name, other in given.items() if other}
