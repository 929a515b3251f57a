"""Which classes a version is of, and by which rule of the law in force: the words behind the policy's answer.

The policy decides (`policies/classes`, `policies/listing`); a test holds these words against its decisions. Only
dated configuration is read here (`policies/data/law.json`): no threshold stands in code.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from catalog.manifest import Manifest
from catalog.search import fold
from catalog.version import Version
from policies.decision import PersonalClass, StateClass
from policies.laws import Law, law_at

CLASSES: Final = "decision-20-2025.classes"
CEILING: Final = "decree-165-2025.ceiling"
NO_TRADE: Final = "data-law-60-2024.42"
RANK: Final[tuple[StateClass, ...]] = ("public", "internal", "important", "core")
PERSONAL: Final = ("basic", "sensitive")


class RuleHit(Struct, frozen=True, kw_only=True):
    """A rule that counted. `reached`: whether it gave its class; `columns`: those that it is about.

    `threshold`: persons from which on it gives `gives`; None for a rule that does not count persons."""

    axis: Literal["state", "personal"]
    gives: str
    reached: bool
    law: str
    article: str
    article_en: str = ""
    """As English texts name it; "" in versions that were classed before there was one."""
    valid_from: str
    kind: str
    threshold: int | None
    columns: tuple[str, ...]


class Classified(Struct, frozen=True, kw_only=True):
    """`highest`: the class up to which its mode may be traded; `secret_themes`: of the first no-trade class."""

    state_class: StateClass
    personal_class: PersonalClass
    persons: int
    rules: tuple[RuleHit, ...]
    highest: StateClass
    secret_themes: tuple[str, ...]

    @property
    def may_be_traded(self) -> bool:
        return not self.secret_themes and RANK.index(self.state_class) <= RANK.index(self.highest)


class LawNotConfigured(Exception):
    """No entry of this law is in force on that day: nothing can be classed."""


def classify(manifest: Manifest, version: Version, *, at_ms: int) -> Classified:
    """State and personal axis of what the version shows, with every rule that was looked at.

    Raises LawNotConfigured.
    """
    law, ceiling, no_trade = (_law(name, at_ms) for name in (CLASSES, CEILING, NO_TRADE))
    told = {kind: tuple(c.name for c in version.columns if c.personal == kind) for kind in PERSONAL}
    rules = [_personal(law, kind, told[kind]) for kind in PERSONAL]
    disclosed = manifest.legal_basis.kind == "public"
    rules.append(_disclosed(law, reached=disclosed))
    rules += [
        RuleHit(
            axis="state", gives=gives, law=CLASSES, article=law.article, article_en=law.english.article,
            valid_from=law.valid_from, kind=kind, threshold=persons, columns=told[kind],
            reached=not disclosed and bool(told[kind]) and version.persons >= persons,
        )
        for kind in PERSONAL
        for gives, persons in law.values[kind].items()
    ]  # fmt: skip
    reached = [RANK.index(each.gives) for each in rules if each.axis == "state" and each.reached]
    state = "public" if disclosed else RANK[max([1, *reached])]
    personal: PersonalClass = "sensitive" if told["sensitive"] else "basic" if told["basic"] else "none"
    return Classified(
        state_class=state, personal_class=personal, persons=version.persons, rules=tuple(rules),
        highest=ceiling.values["highest"][version.mode],
        secret_themes=_secret(manifest, no_trade.values["no_trade_themes"]),
    )  # fmt: skip


def _law(name: str, at_ms: int) -> Law:
    law = law_at(name, at_ms)
    if law is None:
        raise LawNotConfigured(name)
    return law


def _personal(law: Law, kind: str, columns: tuple[str, ...]) -> RuleHit:
    return RuleHit(
        axis="personal", gives=kind, reached=bool(columns), law=CLASSES, article=law.article,
        article_en=law.english.article, valid_from=law.valid_from, kind=kind, threshold=None, columns=columns,
    )  # fmt: skip


def _disclosed(law: Law, *, reached: bool) -> RuleHit:
    return RuleHit(
        axis="state", gives="public", reached=reached, law=CLASSES, article=law.article,
        article_en=law.english.article, valid_from=law.valid_from, kind="disclosed", threshold=None, columns=(),
    )  # fmt: skip


def _secret(manifest: Manifest, themes: list[str]) -> tuple[str, ...]:
    said = [f" {fold(theme)} " for theme in manifest.themes]
    return tuple(theme.strip() for theme in said if any(f" {banned} " in theme for banned in themes))
