"""Figures of anonymity and of the risk that is left: what a version, a check and the owner's page say of it."""

from __future__ import annotations

from msgspec import Struct


class SensitiveRisk(Struct, frozen=True, kw_only=True):
    """Of one sensitive attribute, in the worst class. Empty cells count as persons, not as values.

    `entropy_l` is exp of the entropy (Machanavajjhala et al. 2007). `recursive_c`: infimum of the c for which
    r₁ < c·(r_ℓ + … + r_m) at the table's ℓ, most frequent value first; None where ℓ is 1. `rarest_first_c` is that
    figure as pyCANON has it, rarest value first. `t`: equal distance; `t_ordered`: distance along the order of
    numbers and instants (Li et al. 2007), None for text. `beta`, `enhanced_beta`: Cao and Karras 2012. `delta`:
    δ-disclosure, Brickell and Shmatikov 2008.
    """

    name: str
    alpha: float
    l: int
    entropy_l: float
    recursive_c: float | None
    rarest_first_c: float | None
    t: float
    t_ordered: float | None
    beta: float
    enhanced_beta: float
    delta: float


class SizeBand(Struct, frozen=True, kw_only=True):
    """Classes of at least this size, and of less than the next band's; the persons in them."""

    at_least: int
    classes: int
    persons: int


class PopulationRisk(Struct, frozen=True, kw_only=True):
    """Against counts of a whole population (El Emam and Dankar 2008; δ-presence: Nergiz et al. 2007).

    `presence`: least and greatest share of a population class that is in the table; 0 where one is not at all.
    """

    persons: int
    unique_share: float
    journalist_highest: float
    journalist_average: float
    marketer: float
    presence: tuple[float, float]


class Risk(Struct, frozen=True, kw_only=True):
    """`unique_share`: of persons alone in their class. `prosecutor_…`: of one who knows that the person is in the
    table; without a population a marketer's is the prosecutor's average."""

    persons: int
    classes: int
    k: int
    unique_share: float
    prosecutor_highest: float
    prosecutor_average: float
    sizes: tuple[SizeBand, ...]
    sensitive: tuple[SensitiveRisk, ...]
    population: PopulationRisk | None = None

    @property
    def l(self) -> int | None:  # noqa: E743 - the letter of ℓ-diversity
        """Of the attribute that has fewest, as everywhere below: the worst one. None where none is sensitive."""
        return min((s.l for s in self.sensitive), default=None)

    @property
    def entropy_l(self) -> float | None:
        return min((s.entropy_l for s in self.sensitive), default=None)

    @property
    def alpha(self) -> float | None:
        return max((s.alpha for s in self.sensitive), default=None)

    @property
    def t(self) -> float | None:
        return max((s.t for s in self.sensitive), default=None)


class RiskOrder(Struct, frozen=True, kw_only=True):
    """What a jail is told: `files` Parquet files with these columns, then perhaps one of the population, which has
    the quasi-identifiers and in `counted` the persons of each class."""

    quasi_identifiers: tuple[str, ...]
    sensitive: tuple[str, ...]
    files: int
    counted: str = ""


class RiskReply(Struct, frozen=True, kw_only=True):
    risk: Risk | None = None
    fault: str = ""
    """Why there is none: "columns", "rows" or "population"."""


class Side(Struct, frozen=True, kw_only=True):
    """One of two versions. `counted`: the column that holds a record's persons; "" where a record is a person."""

    quasi_identifiers: tuple[str, ...]
    counted: str
    files: int


class CombineOrder(Struct, frozen=True, kw_only=True):
    first: Side
    second: Side
    shared: tuple[str, ...]
    k: int


class Combined(Struct, frozen=True, kw_only=True):
    """Of two versions joined on `shared`, as one who knows a person's values in both would join them.

    Within shared values the others are taken as independent, and the larger version's persons as all there are.
    `persons`: in both, as expected; `matched_share`: of the first version's persons, with shared values that the
    second has; `likely_class`: persons alike in both, as a person meets them on average; `below_k_share`: of
    persons in a joint class likely smaller than `k`; `uncertain_share`: of persons whose joint class the sizes
    alone do not force to be `k`; `alone`: persons likely alone in theirs (Poisson).
    """

    shared: tuple[str, ...]
    k: int
    persons: float
    matched_share: float
    likely_class: float
    below_k_share: float
    uncertain_share: float
    alone: float
