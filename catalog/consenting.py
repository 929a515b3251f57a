"""Who of a file consents to what: its own flags, and what the consent register says of the same persons."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from catalog.cohorts import Ints
from catalog.intake import Intake
from catalog.manifest import Manifest
from catalog.subjects import find_ascending


class Consents(Struct, frozen=True, kw_only=True):
    """What a register says, 24 bytes a person, for there may be a country of them.

    `subjects`: pseudonyms, ascending (n × 16 bytes). `given`, `withdrawn`: of each, bit i for
    `purposes[i]` (int32).
    """

    purposes: tuple[str, ...]
    subjects: Ints
    given: Ints
    withdrawn: Ints


def consent_masks(manifest: Manifest, intake: Intake, consents: Consents | None) -> Ints:
    """One int32 a person: bit i for consent to the manifest's i-th purpose (basis not consent: 1).

    The file's flags and the register both give; what the register says was withdrawn outweighs both.
    """
    if manifest.legal_basis.kind != "consent":
        return np.ones(intake.rows, dtype=np.int32)
    mask = np.zeros(intake.rows, dtype=np.int32)
    for bit, purpose in enumerate(manifest.purposes):
        if purpose in manifest.consent:
            mask |= intake.flags[manifest.consent[purpose]].astype(np.int32) << bit
    if consents is None or intake.pseudonyms is None or intake.ascending is None or not len(consents.subjects):
        return mask
    place = find_ascending(consents.subjects, intake.pseudonyms[intake.ascending])
    known = np.flatnonzero(place >= 0)
    rows, place = intake.ascending[known], place[known]
    mask[rows] |= _bits(manifest, consents, consents.given[place])
    mask[rows] &= ~_bits(manifest, consents, consents.withdrawn[place])
    return mask


def _bits(manifest: Manifest, consents: Consents, said: Ints) -> Ints:
    """As the manifest numbers its purposes."""
    bits = np.zeros(len(said), dtype=np.int32)
    for bit, purpose in enumerate(manifest.purposes):
        if purpose in consents.purposes:
            bits |= (said >> consents.purposes.index(purpose) & 1) << bit
    return bits
