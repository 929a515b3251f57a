"""What an agreement in dp mode may still ask: its privacy budget, as ρ and ε, and roughly what that buys."""

from __future__ import annotations

from uuid import UUID

from msgspec import UNSET, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.version import Privacy
from marketplace.agreements.errors import NoBudget
from marketplace.agreements.models import Agreement
from marketplace.agreements.parties import parties_of
from marketplace.billing.budget import share_account
from marketplace.errors import NotFound
from marketplace.ledger.reads import balance
from marketplace.listings.reads import listed_version
from policies.decision import BudgetFacts
from sandbox.disclosure.noise import MICRO, epsilon_of, margin_of, scale_of


class Buys(Struct, frozen=True, kw_only=True):
    """So many counts at `rho_micro` each, every one within `margin` of the truth in 95 of 100 cases."""

    counts: int
    rho_micro: int
    margin: float


class BudgetView(Struct, frozen=True, kw_only=True):
    """Millionths of ρ. `epsilon`: of all that was granted, with `delta`; `epsilon_left`: of what is left."""

    agreement_id: UUID
    granted_micro: int
    held_micro: int
    left_micro: int
    epsilon: float
    epsilon_left: float
    delta: float
    buys: Buys
    choices: tuple[Buys, ...]
    """The same at other ρ a query: fewer questions, each answered more exactly."""


async def read_budget(
    session: AsyncSession, *, agreement_id: UUID, organisation_id: UUID, rho_micro: int, least_micro: int
) -> BudgetView:
    """Of an agreement of this organisation, either side. `rho_micro`: what a query spends if it does not say;
    `least_micro`: less than which none may.

    Raises NotFound; NoBudget where the dataset is in another mode.
    """
    agreement = await session.get(Agreement, agreement_id)
    if agreement is None or organisation_id not in parties_of(agreement):
        raise NotFound(what="agreement")
    listed = await listed_version(session, agreement.dataset_id)
    privacy = listed.version.privacy if listed else UNSET
    if privacy is UNSET:
        raise NoBudget
    found = await balance(session, share_account(agreement_id))
    return BudgetView(
        agreement_id=agreement_id,
        granted_micro=found.credits_posted,
        held_micro=found.debits_pending,
        left_micro=found.available,
        epsilon=_epsilon(found.credits_posted, privacy),
        epsilon_left=_epsilon(found.available, privacy),
        delta=privacy.delta,
        buys=_buys(found.available, rho_micro),
        choices=tuple(_buys(found.available, each) for each in _asked(found.available, rho_micro, least_micro)),
    )


async def least_budget(
    session: AsyncSession, agreement_id: UUID, privacy: Privacy, least_micro: int
) -> BudgetFacts:
    """For a decision on the question that spends least; an agreement without a budget has None left."""
    try:
        left = (await balance(session, share_account(agreement_id))).available
    except NotFound:
        left = None
    return BudgetFacts(cost_micro=least_micro, left_micro=left, epsilon=_epsilon(least_micro, privacy))


def _asked(left_micro: int, rho_micro: int, least_micro: int) -> list[int]:
    """The least, what is usual, more, and all at once."""
    return sorted({each for each in (least_micro, rho_micro, 5 * rho_micro, left_micro) if least_micro <= each})


def _buys(left_micro: int, rho_micro: int) -> Buys:
    margin = round(margin_of(scale_of(1, rho_micro / MICRO)), 1)
    return Buys(counts=left_micro // rho_micro, rho_micro=rho_micro, margin=margin)


def _epsilon(rho_micro: int, privacy: Privacy) -> float:
    """With half of δ: the other half is for groups nobody declared."""
    return round(epsilon_of(rho_micro / MICRO, privacy.delta / 2), 4)
