"""The port to whoever carries single payouts to owners' accounts: what is asked, and what is seen of it.

A bank takes a file of many (`bank_file`). One adapter here: `payments.stripe_provider`.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from msgspec import Struct

STRIPE: Final = "stripe"
"""As `PayoutAccount.bank_code`."""


class PayoutOrder(Struct, frozen=True, kw_only=True):
    """One owner's money; `reference` is carried with it. `key`: the same order with it is done once."""

    payout_id: UUID
    destination: str
    amount_vnd: int
    reference: str
    key: str


class SeenReversal(Struct, frozen=True):
    """Some of a transfer, or all, that was taken back."""

    id: str
    amount_vnd: int


class SeenTransfer(Struct, frozen=True, kw_only=True):
    """A transfer as it stands. `reference`: empty if it is none of ours."""

    id: str
    reference: str
    destination: str
    amount_vnd: int
    reversals: tuple[SeenReversal, ...]
