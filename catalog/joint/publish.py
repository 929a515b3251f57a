"""Publication of a joint dataset: two sealed halves are opened, matched, and go the way of every publication.

Who sees what. An owner: its own file, and of the join a band. The broker: pseudonyms under the linkage's key. The
second jail: columns of those who are in both files, without a name. Everybody else: cohorts, as of any dataset.

What an owner knows of its own persons must not open the other's columns. Quasi-identifiers are taken as known to
everybody, as everywhere; so sensitive values and measures are left. In aggregate mode no sensitive value is in the
files, and a sum is of k persons, none of whom outweighs the rest. In rows mode an owner would find a person's
record by its own sensitive value and read the other's beside it: so only one of the two may bring any.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from catalog.coding import coding_digest
from catalog.consenting import Consents, consent_masks
from catalog.errors import PublicationRefused
from catalog.history import follow, placed
from catalog.joint.agreeing import agree
from catalog.joint.contribution import open_half
from catalog.joint.matching import match
from catalog.joint.retelling import Band, band_of, left_out_of, remeasured, retold, told_refusal
from catalog.limits import IngestLimits
from catalog.making import anonymise, measure
from catalog.manifest import Manifest
from catalog.publish import Publication, Report
from catalog.recheck.version import recheck
from catalog.releasing import put, version_of
from catalog.restoring import read_book, require_the_same
from catalog.storage import Store
from catalog.working import space, workplace


class Contributed(Struct, frozen=True, kw_only=True):
    """A sealed half: its id, its manifest, the key that opens it."""

    id: str
    manifest: Manifest
    key: bytes


class JointPublication(Struct, frozen=True, kw_only=True):
    """`joined`: told to both owners."""

    publication: Publication
    joined: Band


def publish_joint(
    lead: Contributed,
    partner: Contributed,
    *,
    purposes: Sequence[str],
    store: Store,
    consents: Consents | None,
    previous: str | None,
    limits: IngestLimits,
) -> JointPublication:
    """Make a version of the persons who are in both halves, and put it in the store. Blocking.

    The rule between versions holds by the linkage's pseudonyms: persons whom a next half adds or leaves out come
    and go in groups of k, as anywhere (`catalog.lineage`). `consents`: as for `publish`.
    Raises PublicationRefused (without figures), SandboxFailed; then the store holds nothing of it.
    """
    manifest = agree(lead.manifest, partner.manifest, purposes=purposes)
    with workplace(store) as folder, space():
        halves = [
            open_half(
                store, contribution_id=each.id, manifest=each.manifest, key=each.key, folder=folder, side=side
            )
            for side, each in (("lead", lead), ("partner", partner))
        ]
        intake = match(manifest, halves[0], halves[1], folder / "persons.arrow")
        for half in halves:
            half.persons.unlink()
        mask = consent_masks(manifest, intake, consents)
        history, lost = read_book(store, previous, manifest)
        past = placed(history, intake) if history else None
        try:
            made = retold(manifest, anonymise(manifest, intake, mask, folder, limits, past), mask)
            measured = remeasured(measure(manifest, intake, made, folder, limits))
            recheck(manifest, intake, mask, made, history, past, limits)
        except PublicationRefused as refused:
            raise told_refusal(refused, manifest) from refused
        if lost is not None:
            require_the_same(store, lost, made, intake)
        text = msgspec.json.encode(manifest, order="sorted").decode()
        version = version_of(manifest, text, made, measured, left_out_of(made.reply), previous)
        coding, narrow = coding_digest(manifest), manifest.mode == "rows"
        history, _ = follow(history, made, intake, mask, version.created_at_ms, coding, narrow=narrow)
        put(store, folder, version, intake, made, history)
    joined = band_of(intake.rows, manifest.k)
    publication = Publication(version=version, manifest=manifest, sample=[], report=_report(joined))
    return JointPublication(publication=publication, joined=joined)


def _report(joined: Band) -> Report:
    """Of what two owners may learn: counts of either's file, times and risks would tell of the other's persons."""
    return Report(
        rows_read=joined.at_least, events_read=0, rows_rejected=0, format="", encoding="", delimiter="",
        without_consent=0, rare_values_blanked=0, read_ms=0, anonymise_ms=0, measure_ms=0, waiting=(), risk=None,
    )  # fmt: skip
