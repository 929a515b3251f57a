"""Who consents, as of one moment."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Register(Struct, frozen=True, kw_only=True):
    """What the register says of a dataset at one moment. `exclusions`: how many cohorts of its versions went.

    The others of a cohort that went are not named here: a cohort is carried for those purposes to which all its
    persons consent, so they stay out with whoever withdrew (`catalog.lineage`)."""

    given: Mapping[str, frozenset[bytes]]
    withdrawn: Mapping[str, frozenset[bytes]]
    exclusions: int
