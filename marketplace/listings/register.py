"""Who consents, as of one moment."""

from __future__ import annotations

from msgspec import Struct

from catalog.consenting import Consents


class Register(Struct, frozen=True, kw_only=True):
    """What the register says of a dataset at one moment. `exclusions`: how many cohorts of its versions went.

    The others of a cohort that went are not named here: a cohort is carried for those purposes to which all its
    persons consent, so they stay out with whoever withdrew (`catalog.lineage`)."""

    consents: Consents
    exclusions: int
