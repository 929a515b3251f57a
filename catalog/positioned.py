"""YAML as a tree in which every node knows its line and column."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from catalog.errors import ManifestError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Node:
    """`value` is a scalar, a list of nodes, or a dict from key to (key's node, value's node)."""

    value: Any
    line: int
    column: int

    def at(self, *path: str | int) -> Node:
        """The node below `path`, or the nearest one above it that exists."""
        node = self
        for step in path:
            if isinstance(node.value, dict) and step in node.value:
                node = node.value[step][1]
            elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
            else:
                break
        return node

    def has(self, key: str) -> bool:
        """Whether something stands below the key."""
        return isinstance(self.value, dict) and key in self.value and self.at(key).value is not None

    def scalar(self, key: str, default: Any = None) -> Any:
        """What stands below the key, if that is one value."""
        value = self.at(key).value if isinstance(self.value, dict) and key in self.value else default
        return default if isinstance(value, dict | list) else value

    @property
    def elements(self) -> list[Node]:
        """Of a list; none of anything else."""
        return self.value if isinstance(self.value, list) else []

    def plain(self) -> Any:
        """Without places."""
        if isinstance(self.value, dict):
            return {key: value.plain() for key, (_, value) in self.value.items()}
        return [each.plain() for each in self.value] if isinstance(self.value, list) else self.value


Found = Iterator[tuple[Node, str, dict[str, Any]]]
"""What a rule finds wrong: where, the code, its params."""


def compose(text: str, errors: list[ManifestError]) -> Node | None:
    """The document's tree; None (and an error) if it is not one YAML document without anchors."""
    if len(text.encode()) > MAX_BYTES:
        errors.append(ManifestError(line=1, column=1, code="manifest.too_long", params={"max_bytes": MAX_BYTES}))
        return None
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        errors.append(ManifestError(line=line, column=column, code="manifest.not_yaml"))
        return None
    except (YAMLError, RecursionError, ValueError):
        errors.append(ManifestError(line=1, column=1, code="manifest.not_yaml"))
        return None
    if root is None:
        errors.append(ManifestError(line=1, column=1, code="manifest.empty"))
        return None
    return _convert(root, errors, set(), 0)


def _convert(node: Any, errors: list[ManifestError], seen: set[int], depth: int) -> Node:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1

    def wrong(code: str, **params: object) -> Node:
        errors.append(ManifestError(line=line, column=column, code=code, params=params))
        return Node(None, line, column)

    if depth > MAX_DEPTH:
        return wrong("manifest.too_deep", max_depth=MAX_DEPTH)
    if id(node) in seen or node.anchor:
        return wrong("manifest.anchor")
    seen.add(id(node))
    if isinstance(node, ScalarNode):
        return _scalar(node, line, column, wrong)
    if isinstance(node, SequenceNode):
        return Node([_convert(n, errors, seen, depth + 1) for n in node.value], line, column)
    assert isinstance(node, MappingNode)  # YAML has no fourth kind of node
    entries: dict[Any, tuple[Node, Node]] = {}
    for key_node, value_node in node.value:
        key = _convert(key_node, errors, seen, depth + 1)
        if not isinstance(key.value, str | int | float | bool):
            key = Node(str(key_node.value)[:80], key.line, key.column)
        if key.value in entries:
            errors.append(
                ManifestError(
                    line=key.line, column=key.column, code="manifest.key_twice", params={"key": key.value}
                )
            )
        entries[key.value] = (key, _convert(value_node, errors, seen, depth + 1))
    return Node(entries, line, column)


def _scalar(node: ScalarNode, line: int, column: int, wrong: Any) -> Node:
    kind = str(node.tag).rpartition(":")[2]
    text = str(node.value)
    try:
        return Node(_SCALARS[kind](text) if kind in _SCALARS else text, line, column)
    except ValueError:
        result: Node = wrong("manifest.scalar")
        return result


_SCALARS: dict[str, Callable[[str], Any]] = {
    "int": lambda text: int(text.replace("_", ""), 0 if text.lstrip("+-")[:2] in ("0x", "0o") else 10),
    "float": float,
    "bool": lambda text: text.casefold() in ("true", "yes", "on"),
    "null": lambda _: None,
}
"""Dates stay text: where one is meant the manifest's field says so."""
