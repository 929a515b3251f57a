"""What one key of a manifest demands of another: roles against transforms, privacy unit against consent.

The rules walk the positioned tree, not the struct: so they also speak when something else is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from catalog.errors import ManifestError
from catalog.events import check_events
from catalog.hierarchy import NotATree, read_hierarchy
from catalog.positioned import Node
from catalog.privacy_rules import privacy_rules
from catalog.transforms import Transform, hierarchy_of
from catalog.version import MAX_FALLBACKS
from policies.sources import data
from sandbox.job import LEVEL

_NUMBERS = ("integer", "number")
_TIMES = ("date", "timestamp")
_RESERVED = ("n", LEVEL)
BAND = "_band"
"""What the name of a measure's bands ends in."""
_MAX_PAIRS = 10
_SHOWN = ("quasi-identifier", "sensitive", "measure")


def check_rules(tree: Node, errors: list[ManifestError]) -> None:
    """Adds an error for each rule that does not hold."""
    if not isinstance(tree.value, dict):
        return
    for node, code, params in _all(tree):
        errors.append(ManifestError(line=node.line, column=node.column, code=code, params=params))


Found = Iterator[tuple[Node, str, dict[str, Any]]]


def _all(tree: Node) -> Found:
    columns = [c for c in _items(tree.at("columns")) if isinstance(c.value, dict)]
    yield from _names(columns)
    yield from _privacy_unit(tree, columns)
    yield from _consent(tree)
    yield from _roles_present(tree, columns)
    yield from _cross_products(tree, columns)
    yield from _records(tree, columns)
    yield from _hierarchies(tree)
    yield from check_events(tree, columns)
    yield from privacy_rules(tree, columns)
    for column in columns:
        yield from _column(tree, column)


def _items(node: Node) -> list[Node]:
    return node.value if isinstance(node.value, list) else []


def _scalar(node: Node, key: str, default: Any = None) -> Any:
    if isinstance(node.value, dict) and key in node.value:
        value = node.at(key).value
        return value if not isinstance(value, dict | list) else default
    return default


def _has(node: Node, key: str) -> bool:
    return isinstance(node.value, dict) and key in node.value and node.at(key).value is not None


def _names(columns: list[Node]) -> Found:
    seen: dict[str, int] = {}
    files: dict[str, int] = {}
    for column in columns:
        name = str(_scalar(column, "name", ""))
        shown = str(_scalar(column, "as", name)).casefold()
        if name in files:
            yield column.at("name"), "manifest.column_twice", {"name": name, "first_line": files[name]}
            continue
        files[name] = column.line
        if _scalar(column, "role") not in _SHOWN:
            continue
        where = column.at("as") if _has(column, "as") else column.at("name")
        names = (shown, f"{shown}{BAND}") if _has(column, "bands") else (shown,)
        for name in names:
            if name in seen:
                yield where, "manifest.column_twice", {"name": name, "first_line": seen[name]}
            seen.setdefault(name, where.line)
        if shown in _RESERVED or "__" in shown:
            yield where, "manifest.reserved_name", {"name": shown}
        elif not shown.isidentifier() or not shown.isascii():
            yield where, "manifest.not_sql_name", {"name": shown}


def _privacy_unit(tree: Node, columns: list[Node]) -> Found:
    unit = _scalar(tree, "privacy_unit")
    basis = _scalar(tree.at("legal_basis"), "kind")
    if unit == "row":
        if basis == "consent":
            yield tree.at("legal_basis", "kind"), "manifest.row_unit_consent", {}
        if _has(tree, "subject_key"):
            yield tree.at("subject_key"), "manifest.row_unit_subject_key", {}
    if unit == "column":
        key = _scalar(tree, "subject_key")
        if key is None:
            yield tree.at("privacy_unit"), "manifest.subject_key_missing", {}
            return
        roles = {_scalar(c, "name"): _scalar(c, "role") for c in columns}
        if roles.get(key) != "identifier":
            yield tree.at("subject_key"), "manifest.subject_key_role", {"name": str(key)}


def _consent(tree: Node) -> Found:
    basis = _scalar(tree.at("legal_basis"), "kind")
    consent = tree.at("consent") if _has(tree, "consent") else None
    purposes = {n.value for n in _items(tree.at("purposes")) if isinstance(n.value, str)}
    if consent is not None and isinstance(consent.value, dict):
        if basis is not None and basis != "consent" and consent.value:
            yield consent, "manifest.consent_without_basis", {"basis": str(basis)}
        for purpose, (key, _) in consent.value.items():
            if purpose not in purposes:
                yield key, "manifest.consent_purpose", {"purpose": str(purpose)}
    seen: set[str] = set()
    never = data()["purposes"]["never"]
    for node in _items(tree.at("purposes")):
        if node.value in never:
            yield node, "manifest.purpose_forbidden", {"purpose": node.value}
        if isinstance(node.value, str) and node.value in seen:
            yield node, "manifest.purpose_twice", {"purpose": node.value}
        seen.add(str(node.value))


def _roles_present(tree: Node, columns: list[Node]) -> Found:
    roles = {_scalar(c, "role") for c in columns}
    if columns and "quasi-identifier" not in roles and _scalar(tree, "mode") != "dp":
        yield tree.at("columns"), "manifest.no_quasi_identifier", {}
    if columns and len(columns) > 64:
        yield tree.at("columns"), "manifest.too_many_columns", {"columns": len(columns), "max": 64}


def _cross_products(tree: Node, columns: list[Node]) -> Found:
    pairs = _items(tree.at("cross_products")) if _has(tree, "cross_products") else []
    measures = {str(_scalar(c, "as", _scalar(c, "name", ""))) for c in columns if _scalar(c, "role") == "measure"}
    seen: set[frozenset[str]] = set()
    for pair in pairs:
        names = [str(n.value) for n in _items(pair)]
        for node in _items(pair):
            if str(node.value) not in measures:
                yield node, "manifest.cross_product_unknown", {
                    "name": str(node.value), "measures": ", ".join(sorted(measures)) or "—"}  # fmt: skip
        if len(set(names)) < len(names) or frozenset(names) in seen:
            yield pair, "manifest.cross_product_twice", {"pair": ", ".join(names)}
        seen.add(frozenset(names))
    if len(pairs) > _MAX_PAIRS:
        yield tree.at("cross_products"), "manifest.cross_products_many", {"pairs": len(pairs), "max": _MAX_PAIRS}


def _records(tree: Node, columns: list[Node]) -> Found:
    """Records are chosen by a text that all of a cohort have in common, and for purposes that are offered."""
    if not _has(tree, "conditions") or not _has(tree.at("conditions"), "records"):
        return
    texts = {str(_scalar(c, "as", _scalar(c, "name"))) for c in columns if _chooses(c)}
    offered = {str(n.value) for n in _items(tree.at("purposes"))}
    for one in _items(tree.at("conditions", "records")):
        if not isinstance(one.value, dict):
            continue  # the reader has said so
        column = _scalar(one, "column")
        if column is not None and str(column) not in texts:
            told = {"name": str(column), "known": ", ".join(sorted(texts))}
            yield one.at("column"), "manifest.records_column", told
        if _has(one, "in") and not _items(one.at("in")):
            yield one.at("in"), "manifest.records_none", {}
        for purpose in _items(one.at("purposes")) if _has(one, "purposes") else ():
            if str(purpose.value) not in offered:
                yield purpose, "manifest.records_purpose", {"purpose": str(purpose.value)}


def _chooses(column: Node) -> bool:
    if _scalar(column, "role") != "quasi-identifier":
        return False
    if _scalar(column, "type", "text") == "text" or not _has(column, "transform"):
        return bool(_scalar(column, "type", "text") == "text")
    try:
        return msgspec.convert(_plain(column.at("transform")), Transform).makes_text
    except msgspec.ValidationError:
        return False  # the reader has said so


def _hierarchies(tree: Node) -> Found:
    """Each must be a tree: whatever is alike at one level is alike at every coarser one."""
    entries = tree.at("hierarchies").value if _has(tree, "hierarchies") else None
    for name, (_, node) in entries.items() if isinstance(entries, dict) else ():
        try:
            read_hierarchy(str(node.value))
        except NotATree as wrong:
            yield node, "manifest.hierarchy_not_tree", {"hierarchy": str(name), **wrong.params}


def _bands(column: Node, name: str, role: str) -> Found:
    node = column.at("bands")
    if role != "measure":
        yield column.value["bands"][0], "manifest.bands_role", {"name": name, "role": role}
        return
    bounds = [n.value for n in _items(node)]
    if not all(isinstance(b, int | float) and not isinstance(b, bool) for b in bounds):
        return  # the reader has said so
    if bounds != sorted(set(bounds)):
        yield node, "manifest.bins_order", {"name": name}
    clamp = _plain(column.at("transform", "clamp")) if _has(column, "transform") else None
    if (
        isinstance(clamp, list)
        and len(clamp) == 2
        and bounds
        and not (
            all(isinstance(c, int | float) for c in clamp) and clamp[0] < min(bounds) and max(bounds) <= clamp[1]
        )
    ):
        yield node, "manifest.bands_outside_clamp", {"name": name, "low": clamp[0], "high": clamp[1]}


def _column(tree: Node, column: Node) -> Found:
    role, kind = _scalar(column, "role"), _scalar(column, "type", "text")
    name = str(_scalar(column, "name", ""))
    if role in _SHOWN and not _has(column, "meaning"):
        yield column, "manifest.meaning_missing", {"name": name}
    if role == "measure":
        if _scalar(tree, "mode") == "rows":
            yield column.at("role"), "manifest.measure_in_rows", {"name": name}
        if kind not in _NUMBERS:
            yield column.at("type"), "manifest.measure_type", {"name": name, "type": str(kind)}
        bounded = _scalar(tree, "mode") == "dp"
        if not bounded and not (_has(column, "transform") and _has(column.at("transform"), "clamp")):
            yield column, "manifest.measure_clamp", {"name": name}
    if role in ("identifier", "drop") and (_has(column, "transform") or _has(column, "fallback")):
        key = "transform" if _has(column, "transform") else "fallback"
        yield column.value[key][0], "manifest.transform_of_removed", {"name": name, "role": str(role)}
    if _has(column, "bands"):
        yield from _bands(column, name, str(role))
    if _has(column, "fallback") and role in ("sensitive", "measure"):
        yield column.value["fallback"][0], "manifest.fallback_role", {"name": name, "role": str(role)}
    if _has(column, "format") and kind not in _TIMES:
        yield column.at("format"), "manifest.format_type", {"name": name, "type": str(kind)}
    fallbacks = column.at("fallback") if _has(column, "fallback") else None
    several = [] if fallbacks is None else _items(fallbacks) or [fallbacks]
    if len(several) > MAX_FALLBACKS:
        yield fallbacks or column, "manifest.fallbacks_many", {"name": name, "max": MAX_FALLBACKS}
    for node in [*([column.at("transform")] if _has(column, "transform") else []), *several]:
        if node.value is not None:
            yield from _transform(tree, node, name, kind, str(role))


def _transform(tree: Node, node: Node, name: str, kind: Any, role: str) -> Found:
    plain = _plain(node)
    try:
        transform = msgspec.convert(plain, Transform)
    except msgspec.ValidationError:
        return  # the reader has said what is wrong with it
    if len(transform.kinds) != 1:
        yield node, "manifest.one_transform", {"name": name, "given": ", ".join(transform.kinds) or "—"}
        return
    what = transform.kinds[0]
    if what in ("bins", "code", "clamp") and kind not in _NUMBERS:
        yield node, "manifest.transform_type", {"name": name, "transform": what, "type": str(kind)}
    if what == "truncate" and kind not in _TIMES:
        yield node, "manifest.transform_type", {"name": name, "transform": what, "type": str(kind)}
    if role == "measure" and what != "clamp":
        yield node, "manifest.measure_clamp", {"name": name}
    if what == "clamp" and transform.clamp and transform.clamp[0] >= transform.clamp[1]:
        yield node, "manifest.empty_range", {"name": name}
    if transform.bins and list(transform.bins) != sorted(set(transform.bins)):
        yield node, "manifest.bins_order", {"name": name}
    if what == "drop" and role == "sensitive":
        yield node, "manifest.sensitive_drop", {"name": name}
    yield from _groups(tree, node, transform, name)


def _groups(tree: Node, node: Node, transform: Transform, name: str) -> Found:
    values = [v for group in (transform.groups or {}).values() for v in group]
    for value in sorted(v for v, count in Counter(values).items() if count > 1):
        yield node, "manifest.group_twice", {"name": name, "value": value}
    if transform.hierarchy is None:
        return
    own = _plain(tree.at("hierarchies")) if _has(tree, "hierarchies") else {}
    try:
        levels = hierarchy_of(transform.hierarchy, own if isinstance(own, dict) else {}).levels
    except NotATree:
        return  # said of the hierarchy itself
    except KeyError:
        yield node, "manifest.hierarchy_unknown", {"name": name, "hierarchy": transform.hierarchy}
        return
    except (TypeError, AttributeError):
        levels = 0  # the reader has said that it is no text
    if levels < transform.level:
        yield node, "manifest.hierarchy_level", {"name": name, "hierarchy": transform.hierarchy,
                                                 "level": transform.level}  # fmt: skip


def _plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: _plain(value) for key, (_, value) in node.value.items()}
    if isinstance(node.value, list):
        return [_plain(n) for n in node.value]
    return node.value
