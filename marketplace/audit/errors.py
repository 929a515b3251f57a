"""What can be wrong with a question to the log."""

from __future__ import annotations

from marketplace.errors import Problem


class OutsideLog(Problem):
    """A leaf or a size that the log does not have."""

    status = 400
    code = "log.outside"


class LogEmpty(Problem):
    status = 404
    code = "log.empty"


class NotWitnessed(Problem):
    """No outside witness has cosigned a checkpoint."""

    status = 404
    code = "log.not_witnessed"


class NoUses(Problem):
    """No leaf of the log is in the chain of that dataset: a wrong id, or nobody used it yet."""

    status = 404
    code = "log.no_uses"


class ReceiptPending(Problem):
    """The event has no leaf yet, or what was decided has not ended."""

    status = 404
    code = "receipt.pending"


class NotOpen(Problem):
    """Some facts of a receipt are closed, so the decision cannot be computed again from them."""

    code = "receipt.not_open"


class KeyWrong(Problem):
    """What was given as verifier key is none."""

    code = "log.key_wrong"


class Unreadable(Problem):
    """A file that was to be verified cannot be read."""

    code = "log.file_unreadable"


class NotAdmitted(Problem):
    """No event that was refused a leaf and is whole has this id."""

    status = 404
    code = "log.not_admitted"


class SettlementDiffers(Problem):
    """Usage or transfers of a query are not those that were logged: `sandulieu audit check` names them."""

    status = 500
    code = "settlement.differs"


class PublishedAway(Problem):
    """What was published lies in a store or on a disk that does not give it now."""

    status = 503
    code = "log.away"
