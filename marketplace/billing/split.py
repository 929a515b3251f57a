"""How a price is shared: by permille, whole đồng, nothing lost and nothing made (largest remainder)."""

from __future__ import annotations

from msgspec import Struct

from marketplace.config import Config


class Shares(Struct, frozen=True, kw_only=True):
    """đồng (or permille) of the owner, the state budget and the platform."""

    owner: int
    state: int
    platform: int


def shares_permille(config: Config) -> Shares:
    """The configured shares."""
    return Shares(
        owner=config.share_owner_permille,
        state=config.share_state_permille,
        platform=config.share_platform_permille,
    )


def split(amount_vnd: int, permille: Shares) -> Shares:
    """Shares that sum to the amount exactly; each within one đồng of its permille.

    Left-over đồng go to the largest remainders; at a tie to the owner, then the state. Raises ValueError.
    """
    weights = (permille.owner, permille.state, permille.platform)
    if amount_vnd < 0 or min(weights) < 0 or sum(weights) != 1_000:
        raise ValueError(f"amount {amount_vnd}, shares {weights}: not negative, and 1000 permille together")
    floors = [amount_vnd * weight // 1_000 for weight in weights]
    remainders = [amount_vnd * weight % 1_000 for weight in weights]
    left = amount_vnd - sum(floors)
    for place in sorted(range(3), key=lambda i: -remainders[i])[:left]:
        floors[place] += 1
    return Shares(owner=floors[0], state=floors[1], platform=floors[2])


def split_between(amount_vnd: int, lead_basis_points: int) -> tuple[int, int]:
    """The lead's and the partner's part, which sum to the amount; half a đồng is the lead's. Raises ValueError."""
    if amount_vnd < 0 or not 0 <= lead_basis_points <= 10_000:
        raise ValueError(f"amount {amount_vnd}, basis points {lead_basis_points}")
    lead = (2 * amount_vnd * lead_basis_points + 10_000) // 20_000
    return lead, amount_vnd - lead
