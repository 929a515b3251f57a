"""A manifest with a chosen scheme in it: the owner's own text, but for the transforms and fallbacks."""

from __future__ import annotations

import io
import re
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from catalog.anonymise.frontier import Choice, Node
from catalog.manifest import read_manifest
from catalog.positioned import MAX_BYTES
from catalog.transforms import Transform


def with_scheme(manifest_text: str, node: Node) -> str:
    """Raises ManifestRefused where the text was none. Comments and order stay."""
    manifest = read_manifest(manifest_text)
    files = {c.sql_name: c.name for c in manifest.columns if c.role == "quasi-identifier"}
    chosen = {files[c.column]: c for c in node.choices if c.column in files}
    yaml = YAML(typ="rt", pure=True)
    # Wider than a manifest may be long: no line of the owner's is broken anew.
    yaml.preserve_quotes, yaml.width = True, 2 * MAX_BYTES
    offset = _offset(manifest_text)
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    tree = yaml.load(manifest_text)
    for column in tree["columns"]:
        if column["role"] == "quasi-identifier":
            _write(column, chosen[str(column["name"])])
    sink = io.StringIO()
    yaml.dump(tree, sink)
    return sink.getvalue()


def _offset(manifest_text: str) -> int:
    """By how much the columns are indented."""
    found = re.search(r"^columns:.*\n(?:\s*#.*\n|\s*\n)*( *)-", manifest_text, re.MULTILINE)
    return len(found[1]) if found else 2


def _write(column: CommentedMap, choice: Choice) -> None:
    levels = list(choice.levels)
    while len(levels) > 1 and levels[-1] == levels[-2]:
        levels.pop()
    _set(column, "transform", levels[:1])
    _set(column, "fallback", [t if t != levels[0] else None for t in levels[1:]])


def _set(column: CommentedMap, key: str, levels: list[Transform | None]) -> None:
    """One level as itself, several as a list, in which None is what the transform says."""
    transform = levels[0] if len(levels) == 1 else None
    if len(levels) < 2 and transform is None:
        column.pop(key, None)
        return
    said: Any = [t and written(t) for t in levels] if transform is None else written(transform)
    if key in column and column[key] == said:
        return
    value = _flow(said)
    if transform is not None and transform.groups is not None and not column.fa.flow_style():
        value = CommentedMap(said | {"groups": CommentedMap({n: _flow(v) for n, v in said["groups"].items()})})
    keys = list(column)
    column.pop(key, None)
    place = keys.index(key) if key in keys else keys.index("fallback") if "fallback" in keys else len(keys)
    column.insert(place, key, value)


def written(transform: Transform) -> dict[str, Any]:
    """As a manifest has it: only what differs from the defaults."""
    plain = msgspec.to_builtins(transform)
    default = msgspec.to_builtins(Transform())
    said = {k: v for k, v in plain.items() if v != default[k] or (k == "level" and transform.hierarchy)}
    if transform.bins is not None:
        said["bins"] = [int(b) if b.is_integer() else b for b in transform.bins]
    return said


def _flow(value: Any) -> Any:
    """In one line."""
    if isinstance(value, dict):
        found = CommentedMap({k: _flow(v) for k, v in value.items()})
        found.fa.set_flow_style()
        return found
    if isinstance(value, list | tuple):
        items = CommentedSeq([_flow(v) for v in value])
        items.fa.set_flow_style()
        return items
    return value
