"""What a scan found, held against what the manifest declares: a contradiction stops until a person answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from catalog.errors import PublicationRefused
from catalog.manifest import Manifest, ManifestColumn
from catalog.pii.detect import sources
from catalog.pii.kinds import DIRECT, INDIRECT, WORDS, Kind
from catalog.pii.order import Detected, DetectedColumn

LEAST_CONFIDENCE: Final = 0.6
MOST_SINGLED_OUT: Final = 0.05
"""Share of persons whom a plain column, or two, may tell from everybody else."""
FEWEST_SINGLED_OUT: Final = 10
"""Persons: of fewer the rare values are blanked one by one when cohorts are formed."""
SINGLES: Final = "singles_out"
Code = Literal["pii.identifying", "pii.indirect", "pii.singles_out", "pii.pair_singles_out"]


class Override(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's answer to one finding: these columns, this kind (or `singles_out`), for this reason.

    It stands beside the manifest, never in it: it is said of one file, by whoever publishes that.
    """

    columns: Annotated[tuple[str, ...], Meta(min_length=1, max_length=2)]
    finding: str
    reason: Annotated[str, Meta(min_length=10, max_length=500)]


class Finding(Struct, frozen=True, kw_only=True):
    """`finding`: the kind, or `singles_out`; `share` of the cells, or of the persons; `examples` masked."""

    code: Code
    columns: tuple[str, ...]
    finding: str
    confidence: float
    share: float
    examples: tuple[str, ...] = ()
    declared: str = ""


class Answered(Struct, frozen=True, kw_only=True):
    finding: Finding
    reason: str


def findings(manifest: Manifest, detected: Detected) -> tuple[Finding, ...]:
    """Every contradiction, in the order of the file's columns."""
    shown = sources(manifest)
    return tuple(
        finding
        for column in detected.columns
        for finding in _of_column(manifest, detected, column, shown.get(column.name, ()))
    ) + tuple(_pairs(detected))


def stopped(manifest: Manifest, detected: Detected, overrides: Sequence[Override]) -> tuple[Finding, ...]:
    """The findings that nobody has answered. Empty: publication may go on."""
    answered = {(frozenset(each.columns), each.finding) for each in overrides}
    return tuple(
        each for each in findings(manifest, detected) if (frozenset(each.columns), each.finding) not in answered
    )


def require_answered(
    manifest: Manifest, detected: Detected | None, overrides: Sequence[Override]
) -> tuple[Answered, ...]:
    """Every finding with its answer: what the log keeps. Raises PublicationRefused if one has none."""
    if detected is None:
        raise PublicationRefused("ingest.unreadable")
    if left := stopped(manifest, detected, overrides):
        raise PublicationRefused(
            "publication.personal_data", count=len(left), columns="; ".join(map(told, left)),
            findings=msgspec.to_builtins(left),
        )  # fmt: skip
    reasons = {(frozenset(each.columns), each.finding): each.reason for each in overrides}
    return tuple(
        Answered(finding=each, reason=reasons[frozenset(each.columns), each.finding])
        for each in findings(manifest, detected)
    )


def in_both(finding: Finding) -> dict[str, str]:
    """One finding in a line of each language: "ghi_chu [phone]: số điện thoại 12,50% (0•••••••21)"."""
    vi, en = WORDS[finding.finding].split("/")
    shown = f" ({', '.join(finding.examples)})" if finding.examples else ""
    named, share = f"{' + '.join(finding.columns)} [{finding.finding}]", f"{finding.share:.2%}"
    return {"vi": f"{named}: {vi} {share.replace('.', ',')}{shown}", "en": f"{named}: {en} {share}{shown}"}


def told(finding: Finding) -> str:
    """One finding in a line, in both languages: "ghi_chu: số điện thoại/phone 12% (0•••••••21)"."""
    shown = f" ({', '.join(finding.examples)})" if finding.examples else ""
    return (
        f"{' + '.join(finding.columns)} [{finding.finding}]: {WORDS[finding.finding]} {finding.share:.2%}{shown}"
    )


def _of_column(
    manifest: Manifest, detected: Detected, column: DetectedColumn, shown: Sequence[ManifestColumn]
) -> Iterator[Finding]:
    for found in column.kinds:
        if found.confidence < LEAST_CONFIDENCE:
            continue
        for each in shown:
            code = _contradiction(manifest, each, found.kind)
            if code is not None:
                yield Finding(
                    code=code, columns=(column.name,), finding=found.kind, confidence=found.confidence,
                    share=found.share, examples=found.examples, declared=each.role,
                )  # fmt: skip
                break
    if column.singles is not None and _too_many(column.singles, detected.persons):
        yield Finding(
            code="pii.singles_out", columns=(column.name,), finding=SINGLES, confidence=1.0, share=column.singles,
            declared=shown[0].role if shown else "",
        )  # fmt: skip


def _too_many(share: float, persons: int) -> bool:
    return share > MOST_SINGLED_OUT and share * persons >= FEWEST_SINGLED_OUT


def _contradiction(manifest: Manifest, column: ManifestColumn, kind: Kind) -> Code | None:
    """What names a person may only be shown as a label of ours; what singles out with others only in the class."""
    hidden = manifest.mode == "aggregate" and column.role == "sensitive"
    if hidden or (column.role == "quasi-identifier" and _labelled(column)):
        return None
    if kind in DIRECT:
        return "pii.identifying"
    if kind in INDIRECT and column.role != "quasi-identifier":
        return "pii.indirect"
    return None


def _labelled(column: ManifestColumn) -> bool:
    """Whether at every level only labels of ours are shown, or nothing."""
    levels = [column.transform, *(each for each in column.fallbacks if each is not None)]
    return all(level is not None and (level.makes_text or level.drop) for level in levels)


def _pairs(detected: Detected) -> Iterator[Finding]:
    """Pairs that single out though neither of the two columns does."""
    alone = {each.name for each in detected.columns if _too_many(each.singles or 0.0, detected.persons)}
    for pair in detected.pairs:
        if _too_many(pair.singles, pair.persons or detected.persons) and not {pair.first, pair.second} & alone:
            yield Finding(
                code="pii.pair_singles_out", columns=(pair.first, pair.second), finding=SINGLES, confidence=1.0,
                share=pair.singles, declared="sensitive",
            )  # fmt: skip
