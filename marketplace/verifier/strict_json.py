"""JSON that means one thing only: canonical form, integers, no key twice; and bytes written as text."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from marketplace.verifier.refusal import Refused

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 50


class Fraction(str):
    """A fraction as it was written: no two programs print them alike."""


def load(data: bytes) -> Any:
    """JSON with integers as its only numbers, no key twice. Raises Refused."""
    if len(data) > MAX_BYTES:
        raise Refused("form.size", MAX_BYTES)
    return one_of(utf8(data), no_number)


def utf8(data: bytes) -> str:
    """As text. Raises Refused."""
    try:
        return data.decode()
    except UnicodeDecodeError as wrong:
        raise Refused("form.encoding") from wrong


def one_of(text: str, fraction: Callable[[str], Any]) -> Any:
    """The one document that the text is. Raises Refused."""
    found = list(documents(text, fraction))
    if len(found) != 1:
        raise Refused("form.json", "1:1")
    return found[0]


def documents(text: str, fraction: Callable[[str], Any]) -> Iterator[Any]:
    """Documents one after another. `fraction` makes something of what is no integer. Raises Refused."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_unique,
        parse_float=fraction,
        parse_int=_integer,
        parse_constant=no_number,
    )
    at = _skipped(text, 0)
    while at < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except RecursionError as wrong:
            raise Refused("form.depth", MAX_DEPTH) from wrong
        except json.JSONDecodeError as wrong:
            raise Refused("form.json", f"{wrong.lineno}:{wrong.colno}") from wrong
        _bounded(value, MAX_DEPTH)
        yield value
        at = _skipped(text, at)


def _skipped(text: str, at: int) -> int:
    found = re.compile("[ \t\r\n]*").match(text, at)
    return found.end() if found else at


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Refused("form.twice", ascii(name)[:80])
        found[name] = value
    return found


def no_number(token: str) -> Any:
    """Raises Refused."""
    raise Refused("form.number", token[:40])


def _integer(token: str) -> int:
    if len(token) > 17 or abs(int(token)) >= 2**53 or str(int(token)) != token:
        raise Refused("form.number", token[:40])
    return int(token)


def _bounded(value: Any, depth: int) -> None:
    """Neither too deep nor half of a surrogate pair, which no other program reads as this one does."""
    if depth == 0:
        raise Refused("form.depth", MAX_DEPTH)
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as wrong:
            raise Refused("form.encoding") from wrong
    children = (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in children:
        _bounded(each, depth - 1)


def canonical(value: Any) -> str:
    """As RFC 8785: keys sorted, no spaces, nothing escaped that need not be."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_text(name)}:{canonical(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(canonical, value)) + "]"
    return value if isinstance(value, Fraction) else _text(value)


_text = json.JSONEncoder(ensure_ascii=False).encode


def hex32(text: str) -> bytes:
    """32 bytes from lower-case hexadecimal. Raises Refused."""
    if re.fullmatch("[0-9a-f]{64}", text) is None:
        raise Refused("form.hex", ascii(text)[:80])
    return bytes.fromhex(text)


def base64_of(text: str) -> bytes:
    """Its bytes. Of the spellings that decode alike only one is taken, so that no changed byte passes."""
    try:
        data = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise Refused("form.base64", ascii(text)[:80]) from wrong
    if base64.b64encode(data).decode() != text:
        raise Refused("form.base64", ascii(text)[:80])
    return data


def shaped(value: Any, shape: Any, path: str) -> None:
    """Raises Refused unless the value is of these types, [a list of such], or {an object of just these}."""
    if isinstance(shape, list):
        if type(value) is not list:
            raise Refused("form.field", path)
        for each in value:
            shaped(each, shape[0], path)
    elif isinstance(shape, Mapping):
        if type(value) is not dict or set(value) != set(shape):
            wrong = set(value) ^ set(shape) if isinstance(value, dict) else ()
            raise Refused("form.field", ascii(".".join(filter(None, (path, *sorted(wrong)[:1]))))[1:-1][:80])
        for name, each in shape.items():
            shaped(value[name], each, f"{path}.{name}".strip("."))
    elif type(value) not in shape:
        raise Refused("form.field", path)


def read_file(path: Path, limit: int) -> bytes:
    """Its bytes. Raises Refused where it is missing, or longer than `limit` bytes."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as wrong:
        raise Refused("log.missing", path.name) from wrong
    if len(data) > limit:
        raise Refused("form.size", limit)
    return data
