"""Why money is not paid out."""

from __future__ import annotations

from marketplace.errors import Conflict, Invalid


class AccountMalformed(Invalid):
    """No bank has such an account. Params: path."""

    code = "payout.account_malformed"


class NothingToPay(Conflict):
    """No owner with an account at a bank has enough. Params: period, least_vnd."""

    code = "payout.nothing"


class BatchOpen(Conflict):
    """Another batch waits to be released or cancelled. Params: batch_id."""

    code = "payout.batch_open"


class BatchDecided(Conflict):
    """The batch was released or cancelled before. Params: state."""

    code = "payout.batch_decided"


class SameReleaser(Conflict):
    """Who proposed a batch does not release it."""

    code = "payout.same_person"


class BalanceFell(Conflict):
    """An owner has less than when the batch was proposed. Params: owner_id, owner, amount_vnd, balance_vnd."""

    code = "payout.balance_fell"


class NotReleased(Conflict):
    """A batch that is not released has no file. Params: state."""

    code = "payout.not_released"


class FileUnreadable(Invalid):
    """The bank's file is not whole. Params: line, why."""

    code = "payout.file_unreadable"
