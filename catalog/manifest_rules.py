"""What one key of a manifest demands of another: roles against transforms, privacy unit against consent.

The rules walk the positioned tree, not the struct: so they also speak when something else is wrong.
"""

from __future__ import annotations

import msgspec

from catalog.column_rules import BAND, SHOWN, column_rules
from catalog.errors import ManifestError
from catalog.events import check_events
from catalog.hierarchy import NotATree, read_hierarchy
from catalog.positioned import Found, Node
from catalog.privacy_rules import privacy_rules
from catalog.transforms import Transform
from policies.sources import data
from sandbox.job import LEVEL

_RESERVED = ("n", LEVEL)
_MAX_PAIRS = 10


def check_rules(tree: Node, errors: list[ManifestError]) -> None:
    """Adds an error for each rule that does not hold."""
    if not isinstance(tree.value, dict):
        return
    for node, code, params in _all(tree):
        errors.append(ManifestError(line=node.line, column=node.column, code=code, params=params))


def _all(tree: Node) -> Found:
    columns = [c for c in tree.at("columns").elements if isinstance(c.value, dict)]
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
        yield from column_rules(tree, column)


def _names(columns: list[Node]) -> Found:
    seen: dict[str, int] = {}
    files: dict[str, int] = {}
    for column in columns:
        name = str(column.scalar("name", ""))
        shown = str(column.scalar("as", name)).casefold()
        if name in files:
            yield column.at("name"), "manifest.column_twice", {"name": name, "first_line": files[name]}
            continue
        files[name] = column.line
        if column.scalar("role") not in SHOWN:
            continue
        where = column.at("as") if column.has("as") else column.at("name")
        names = (shown, f"{shown}{BAND}") if column.has("bands") else (shown,)
        for name in names:
            if name in seen:
                yield where, "manifest.column_twice", {"name": name, "first_line": seen[name]}
            seen.setdefault(name, where.line)
        if shown in _RESERVED or "__" in shown:
            yield where, "manifest.reserved_name", {"name": shown}
        elif not shown.isidentifier() or not shown.isascii():
            yield where, "manifest.not_sql_name", {"name": shown}


def _privacy_unit(tree: Node, columns: list[Node]) -> Found:
    unit = tree.scalar("privacy_unit")
    basis = tree.at("legal_basis").scalar("kind")
    if unit == "row":
        if basis == "consent":
            yield tree.at("legal_basis", "kind"), "manifest.row_unit_consent", {}
        if tree.has("subject_key"):
            yield tree.at("subject_key"), "manifest.row_unit_subject_key", {}
    if unit == "column":
        key = tree.scalar("subject_key")
        if key is None:
            yield tree.at("privacy_unit"), "manifest.subject_key_missing", {}
            return
        roles = {c.scalar("name"): c.scalar("role") for c in columns}
        if roles.get(key) != "identifier":
            yield tree.at("subject_key"), "manifest.subject_key_role", {"name": str(key)}


def _consent(tree: Node) -> Found:
    basis = tree.at("legal_basis").scalar("kind")
    consent = tree.at("consent") if tree.has("consent") else None
    purposes = {n.value for n in tree.at("purposes").elements if isinstance(n.value, str)}
    if consent is not None and isinstance(consent.value, dict):
        if basis is not None and basis != "consent" and consent.value:
            yield consent, "manifest.consent_without_basis", {"basis": str(basis)}
        for purpose, (key, _) in consent.value.items():
            if purpose not in purposes:
                yield key, "manifest.consent_purpose", {"purpose": str(purpose)}
    seen: set[str] = set()
    never = data()["purposes"]["never"]
    for node in tree.at("purposes").elements:
        if node.value in never:
            yield node, "manifest.purpose_forbidden", {"purpose": node.value}
        if isinstance(node.value, str) and node.value in seen:
            yield node, "manifest.purpose_twice", {"purpose": node.value}
        seen.add(str(node.value))


def _roles_present(tree: Node, columns: list[Node]) -> Found:
    roles = {c.scalar("role") for c in columns}
    if columns and "quasi-identifier" not in roles and tree.scalar("mode") != "dp":
        yield tree.at("columns"), "manifest.no_quasi_identifier", {}
    if columns and len(columns) > 64:
        yield tree.at("columns"), "manifest.too_many_columns", {"columns": len(columns), "max": 64}


def _cross_products(tree: Node, columns: list[Node]) -> Found:
    pairs = tree.at("cross_products").elements if tree.has("cross_products") else []
    measures = {str(c.scalar("as", c.scalar("name", ""))) for c in columns if c.scalar("role") == "measure"}
    seen: set[frozenset[str]] = set()
    for pair in pairs:
        names = [str(n.value) for n in pair.elements]
        for node in pair.elements:
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
    if not tree.has("conditions") or not tree.at("conditions").has("records"):
        return
    texts = {str(c.scalar("as", c.scalar("name"))) for c in columns if _chooses(c)}
    offered = {str(n.value) for n in tree.at("purposes").elements}
    for one in tree.at("conditions", "records").elements:
        if not isinstance(one.value, dict):
            continue  # the reader has said so
        column = one.scalar("column")
        if column is not None and str(column) not in texts:
            told = {"name": str(column), "known": ", ".join(sorted(texts))}
            yield one.at("column"), "manifest.records_column", told
        if one.has("in") and not one.at("in").elements:
            yield one.at("in"), "manifest.records_none", {}
        for purpose in one.at("purposes").elements if one.has("purposes") else ():
            if str(purpose.value) not in offered:
                yield purpose, "manifest.records_purpose", {"purpose": str(purpose.value)}


def _chooses(column: Node) -> bool:
    if column.scalar("role") != "quasi-identifier":
        return False
    if column.scalar("type", "text") == "text" or not column.has("transform"):
        return bool(column.scalar("type", "text") == "text")
    try:
        return msgspec.convert(column.at("transform").plain(), Transform).makes_text
    except msgspec.ValidationError:
        return False  # the reader has said so


def _hierarchies(tree: Node) -> Found:
    """Each must be a tree: whatever is alike at one level is alike at every coarser one."""
    entries = tree.at("hierarchies").value if tree.has("hierarchies") else None
    for name, (_, node) in entries.items() if isinstance(entries, dict) else ():
        try:
            read_hierarchy(str(node.value))
        except NotATree as wrong:
            yield node, "manifest.hierarchy_not_tree", {"hierarchy": str(name), **wrong.params}
