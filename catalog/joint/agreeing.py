"""Two owners' manifests become that of the dataset which both stand behind: where they differ, the stricter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import NODEFAULT
from msgspec.structs import fields, replace

from catalog.errors import PublicationRefused
from catalog.manifest import Manifest, ManifestColumn
from policies.decision import Conditions

_SAME: Final = ("dataset", "population", "mode", "privacy_unit", "offer")
_MET: Final = frozenset({
    *_SAME, "title", "description", "owner", "licence", "source", "themes", "spatial", "temporal",
    "update_frequency", "legal_basis", "purposes", "columns", "conditions", "subject_key", "k", "l",
    "max_left_out_share", "consent", "null_words", "hierarchies",
})  # fmt: skip
"""What is known to be met below. Anything else that a manifest may say is refused until somebody has thought of
it: sums of products of two owners' measures, for one, are equations in which an owner knows half."""


def agree(lead: Manifest, partner: Manifest, *, purposes: Sequence[str]) -> Manifest:
    """The joint manifest. `purposes`: what the linkage is for. The lead's words describe it in the catalogue.

    Raises PublicationRefused that says what keeps the two apart.
    """
    _require_same(lead, partner)
    both = [p for p in lead.purposes if p in partner.purposes and p in purposes]
    if not both:
        raise PublicationRefused("publication.joint_purposes")
    basis = next((m.legal_basis for m in (lead, partner) if m.legal_basis.kind == "consent"), lead.legal_basis)
    return replace(
        lead,
        licence=" + ".join(dict.fromkeys((lead.licence, partner.licence))),
        source=" + ".join(dict.fromkeys((lead.source, partner.source))),
        themes=tuple(dict.fromkeys((*lead.themes, *partner.themes))),
        purposes=tuple(both),
        legal_basis=basis,
        columns=_columns(lead, partner),
        conditions=_conditions(lead.conditions, partner.conditions),
        k=max(lead.k, partner.k),
        l=max(lead.l, partner.l),
        max_left_out_share=min(lead.max_left_out_share, partner.max_left_out_share),
        # A joint table has no file: its flags are named by their purpose (`matching.flags_of`).
        consent={p: p for p in both} if basis.kind == "consent" else {},
        null_words=(),
        hierarchies=_hierarchies(lead, partner),
    )


def _require_same(lead: Manifest, partner: Manifest) -> None:
    for name in _SAME:
        if getattr(lead, name) != getattr(partner, name):
            raise PublicationRefused("publication.joint_differs", field="slug" if name == "dataset" else name)
    if lead.mode not in ("rows", "aggregate") or lead.privacy_unit != "column":
        field = "mode" if lead.privacy_unit == "column" else "privacy_unit"
        raise PublicationRefused("publication.joint_differs", field=field)
    for manifest in (lead, partner):
        for said in fields(manifest):
            silent = said.default if said.default_factory is NODEFAULT else said.default_factory()
            if said.name not in _MET and getattr(manifest, said.name) != silent:
                raise PublicationRefused("publication.joint_differs", field=said.encode_name)


def _columns(lead: Manifest, partner: Manifest) -> tuple[ManifestColumn, ...]:
    shown = [m.columns_of("quasi-identifier", "sensitive", "measure") for m in (lead, partner)]
    seen: set[str] = set()
    for column in (*shown[0], *shown[1]):
        name = column.sql_name.casefold()
        if name in seen:
            raise PublicationRefused("publication.joint_column_twice", column=column.sql_name)
        seen.add(name)
    sensitive = [[c.sql_name for c in columns if c.role == "sensitive"] for columns in shown]
    if lead.mode == "rows" and all(sensitive):
        # An owner knows its own value of each person: it would find the record by it, and read the other's there.
        names = ", ".join([*sensitive[0], *sensitive[1]])
        raise PublicationRefused("publication.joint_sensitive_of_both", columns=names)
    return (*shown[0], *shown[1])


def _conditions(lead: Conditions | None, partner: Conditions | None) -> Conditions | None:
    """Everything that either demands."""
    if lead is None or partner is None:
        return lead or partner
    return Conditions(
        time_limit_days=_least(lead.time_limit_days, partner.time_limit_days),
        approved_users_max=_least(lead.approved_users_max, partner.approved_users_max),
        institutions=_both(lead.institutions, partner.institutions),
        places=_places(lead.places, partner.places),
        ethics_approval=lead.ethics_approval or partner.ethics_approval,
        return_results=lead.return_results or partner.return_results,
        records=tuple(dict.fromkeys((*(lead.records or ()), *(partner.records or ())))) or None,
    )


def _least(one: int | None, other: int | None) -> int | None:
    return min((n for n in (one, other) if n is not None), default=None)


def _both(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if one is None or other is None:
        return one if other is None else other
    return tuple(v for v in one if v in other)


def _places(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """A place covers those that begin with it (VN covers VN-HN): what both cover."""
    if one is None or other is None:
        return one if other is None else other
    met = [a if len(a) >= len(b) else b for a in one for b in other if _within(a, b) or _within(b, a)]
    return tuple(dict.fromkeys(met))


def _within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith(outer + "-")


def _hierarchies(lead: Manifest, partner: Manifest) -> dict[str, str]:
    """Each owner's own; a name must mean the same to both who use it."""
    for one, other in ((lead, partner), (partner, lead)):
        named = {t.hierarchy for c in one.columns for t in (c.transform, *c.fallbacks) if t and t.hierarchy}
        for name in named & other.hierarchies.keys():
            if one.hierarchies.get(name) != other.hierarchies[name]:
                raise PublicationRefused("publication.joint_differs", field=f"hierarchies.{name}")
    return lead.hierarchies | partner.hierarchies
