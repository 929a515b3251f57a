"""Linkages on the wire."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from catalog.joint.retelling import Band
from catalog.manifest import OwnerSlug, Purpose
from catalog.version import Personal, Role
from marketplace.linkages.machine import DecisionVerb, LinkageState
from marketplace.listings.once import Released

Words = Annotated[str, Meta(max_length=10_000)]


class ProposalBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`partner`: slug of the other owner. The caller's organisation leads, and gets `lead_basis_points` of 10,000
    of the owners' share."""

    partner: Annotated[str, Meta(max_length=100)]
    population: OwnerSlug
    purposes: Annotated[tuple[Purpose, ...], Meta(min_length=1, max_length=20)]
    lead_basis_points: Annotated[int, Meta(ge=0, le=10_000)]


class DecisionBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A refusal needs a reason."""

    decision: DecisionVerb
    reason: Words = ""


class EndBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Words


class PublicationBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`contribution`: the other owner's, as the caller has seen it."""

    contribution: uuid.UUID


class ColumnView(Struct, frozen=True, kw_only=True):
    name: str
    role: Role
    personal: Personal
    meaning_vi: str
    meaning_en: str
    transform: str


class ContributionView(Struct, frozen=True, kw_only=True):
    """What an owner has sent, as both may see it: what its columns are, never what is in them.

    `persons` is told to its own owner only. `agreed`: it is to be joined with what the other has sent now."""

    id: uuid.UUID
    owner: str
    mode: str
    k: int
    l: int
    purposes: tuple[str, ...]
    legal_basis: str
    base_vnd: int
    per_gb_vnd: int
    columns: tuple[ColumnView, ...]
    persons: int | None
    sent_at: datetime
    agreed: bool


class LinkageLine(Struct, frozen=True, kw_only=True):
    """A linkage in a list; `lead` and `partner` are slugs."""

    id: uuid.UUID
    state: LinkageState
    lead_id: uuid.UUID
    lead: str
    lead_name: str
    partner: str
    partner_name: str
    population: str
    purposes: tuple[str, ...]
    lead_basis_points: int
    proposed_at: datetime
    decided_at: datetime | None
    ended_at: datetime | None
    reason: str | None
    dataset: str | None


class LinkageView(LinkageLine, frozen=True, kw_only=True):
    """A linkage as both owners see it, with what waits for the next join."""

    contributions: tuple[ContributionView, ...]


class LinkageList(Struct, frozen=True, kw_only=True):
    items: tuple[LinkageLine, ...]


class Joined(Struct, frozen=True, kw_only=True):
    """What came of an agreement to join. Both are empty while the other owner has not agreed."""

    released: Released | None = None
    joined: Band | None = None
