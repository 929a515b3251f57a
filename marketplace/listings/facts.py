"""What is known of a dataset where something about it is decided: its newest version, and its class."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from catalog.version import Personal, Version
from policies.decision import Conditions, DatasetFacts, StateClass


def dataset_facts(dataset_id: UUID, version: Version | None, *, state_class: str | None) -> DatasetFacts:
    """No version is listed: nothing about it is known, so nothing is allowed."""
    if version is None:
        return DatasetFacts(id=str(dataset_id), listed=False)
    return DatasetFacts(
        id=str(dataset_id),
        version_id=version.id,
        listed=True,
        mode=version.mode,
        k=version.k,
        persons=version.persons,
        columns=tuple(c.name for c in version.columns),
        basic_columns=_columns(version, "basic"),
        sensitive_columns=_columns(version, "sensitive"),
        purposes=version.purposes,
        conditions=version.conditions or Conditions(),
        legal_basis=version.legal_basis,
        consented_purposes=version.consented_purposes,
        state_class=cast(StateClass | None, state_class),
    )


def _columns(version: Version, personal: Personal) -> tuple[str, ...]:
    return tuple(c.name for c in version.columns if c.personal == personal)
