"""A positioned tree read as a struct: every error at once, each with its place and the nearest known word."""

from __future__ import annotations

import datetime
import difflib
import re
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from catalog.errors import ManifestError
from catalog.positioned import Node

_WORDS: dict[type[inspect.Type], str] = {
    inspect.StrType: "text", inspect.IntType: "integer", inspect.FloatType: "number", inspect.BoolType: "boolean",
    inspect.VarTupleType: "list", inspect.TupleType: "list", inspect.DictType: "mapping",
    inspect.StructType: "mapping", inspect.DateType: "date",
}  # fmt: skip

T = TypeVar("T")


class Reader:
    """Collects errors while it walks; what it returns is only of use if `errors` stayed empty."""

    def __init__(self, errors: list[ManifestError]) -> None:
        self.errors = errors

    def wrong(self, node: Node, code: str, **params: Any) -> None:
        self.errors.append(ManifestError(line=node.line, column=node.column, code=code, params=params))

    def read(self, node: Node, kind: inspect.Type, key: str) -> Any:
        """`node` as builtins that convert to `kind`. `key` names the place in errors."""
        if isinstance(kind, inspect.Metadata):
            return self.read(node, kind.type, key)
        if isinstance(kind, inspect.UnionType):
            return self._union(node, kind, key)
        if isinstance(kind, inspect.StructType):
            return self._struct(node, kind, key)
        if isinstance(kind, inspect.DictType):
            return self._dict(node, kind, key)
        if isinstance(kind, inspect.VarTupleType):
            return self._list(node, kind, key)
        if isinstance(kind, inspect.TupleType):
            return self._pair(node, kind, key)
        return self._scalar(node, kind, key)

    def _union(self, node: Node, kind: inspect.UnionType, key: str) -> Any:
        others = [t for t in kind.types if not isinstance(t, inspect.NoneType)]
        if node.value is None and len(others) < len(kind.types):
            return None
        fitting = [t for t in others if _fits(node.value, t)]
        return self.read(node, (fitting or others)[0], key)

    def _struct(self, node: Node, kind: inspect.StructType, key: str) -> Any:
        if not isinstance(node.value, dict):
            return self._type(node, kind, key)
        known = {f.encode_name: f for f in kind.fields}
        for name, (key_node, _) in node.value.items():
            if name not in known:
                near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
                nearest = near[0] if near else ", ".join(known)
                self.wrong(key_node, "manifest.unknown_key", key=str(name)[:80], nearest=nearest)
        for name, field in known.items():
            if field.required and name not in node.value:
                self.wrong(node, "manifest.missing_key", key=name, inside=key or "manifest")
        return {
            name: self.read(node.value[name][1], field.type, name)
            for name, field in known.items()
            if name in node.value
        }

    def _dict(self, node: Node, kind: inspect.DictType, key: str) -> Any:
        if not isinstance(node.value, dict):
            return self._type(node, kind, key)
        return {
            self.read(key_node, kind.key_type, key): self.read(value, kind.value_type, str(name))
            for name, (key_node, value) in node.value.items()
        }

    def _list(self, node: Node, kind: inspect.VarTupleType, key: str) -> Any:
        if not isinstance(node.value, list):
            return self._type(node, kind, key)
        if kind.min_length is not None and len(node.value) < kind.min_length:
            self.wrong(node, "manifest.too_few", key=key, min=kind.min_length)
        return [self.read(n, kind.item_type, key) for n in node.value]

    def _pair(self, node: Node, kind: inspect.TupleType, key: str) -> Any:
        if not isinstance(node.value, list) or len(node.value) != len(kind.item_types):
            return self._type(node, kind, key)
        return [self.read(n, t, key) for n, t in zip(node.value, kind.item_types, strict=True)]

    def _scalar(self, node: Node, kind: inspect.Type, key: str) -> Any:
        value = node.value
        if isinstance(kind, inspect.LiteralType):
            if value not in kind.values:
                allowed = ", ".join(str(v) for v in kind.values)
                if value == "":
                    self.wrong(node, "manifest.none_chosen", key=key, allowed=allowed)
                    return value
                near = difflib.get_close_matches(str(value), [str(v) for v in kind.values], n=1)
                self.wrong(node, "manifest.not_one_of", key=key, found=str(value)[:80], allowed=allowed,
                           nearest=near[0] if near else "")  # fmt: skip
            return value
        if (
            isinstance(kind, inspect.StrType)
            and isinstance(value, int | float | datetime.date)
            and not isinstance(value, bool)
        ):  # a bare 2024 or 2024-01-01 where words are meant
            value = str(value)
        if not _fits(value, kind):
            return self._type(node, kind, key)
        self._bounds(node, kind, key, value)
        return value

    def _bounds(self, node: Node, kind: inspect.Type, key: str, value: Any) -> None:
        if isinstance(kind, inspect.IntType | inspect.FloatType):
            low, high = kind.ge, kind.le
            if (low is not None and value < low) or (high is not None and value > high):
                self.wrong(node, "manifest.out_of_range", key=key, found=value, min=_bound(low), max=_bound(high))
        if isinstance(kind, inspect.StrType):
            least = kind.min_length or (1 if kind.pattern else 0)
            if len(value.strip()) < least:
                self.wrong(node, "manifest.blank", key=key)
            elif kind.pattern and not re.search(kind.pattern, value):
                self.wrong(node, "manifest.bad_name", key=key, found=value[:80])

    def _type(self, node: Node, kind: inspect.Type, key: str) -> None:
        found = "nothing" if node.value is None else _found(node.value)
        self.wrong(node, "manifest.wrong_type", key=key, expected=_WORDS.get(type(kind), "value"), found=found)


def _bound(value: float | None) -> str:
    return "…" if value is None else f"{value:g}"


def _found(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {dict: "mapping", list: "list", str: "text", int: "integer", float: "number"}
    return names.get(type(value), type(value).__name__)


def _fits(value: Any, kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.StrType):
        return isinstance(value, str)
    if isinstance(kind, inspect.BoolType):
        return isinstance(value, bool)
    if isinstance(kind, inspect.IntType):
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(kind, inspect.FloatType):
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
    if isinstance(kind, inspect.StructType | inspect.DictType):
        return isinstance(value, dict)
    if isinstance(kind, inspect.VarTupleType | inspect.TupleType):
        return isinstance(value, list)
    return isinstance(kind, inspect.LiteralType)


def read_struct(node: Node, kind: type[T], errors: list[ManifestError]) -> T | None:
    """The tree as `kind`; None if anything was wrong, all of it told in `errors`."""
    built = Reader(errors).read(node, inspect.type_info(kind), "")
    return None if errors else msgspec.convert(built, kind)
