"""What stands in the way of a month's close. Nothing of a month is invoiced while one of these does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marketplace.closing.standing import Standing
from marketplace.errors import Conflict, NotFound


class Differs(Conflict):
    """Figures that should be one are not. `standing`: those that nobody let stand."""

    def __init__(self, standing: Sequence[Standing], **params: Any) -> None:
        super().__init__(**params)
        self.standing = tuple(standing)


class ChargesLeft(Conflict):
    """Agreements that could pay were not charged. Params: agreements, named."""

    code = "month.charges_left"


class UsageDiffers(Differs):
    """What startups see, what owners see and what the ledger has are not one. Params: days, named."""

    code = "month.usage_differs"


class BooksDiffer(Differs):
    """Reconciling the books found differences. Params: differences, named."""

    code = "month.books_differ"


class StatementDiffers(Conflict):
    """An owner's statement does not add up. Params: owner, expected_vnd, found_vnd."""

    code = "month.statement_differs"


class StepFailed(Conflict):
    """A step ended in a fault of this program; the service's log has it. Params: fault."""

    code = "month.step_failed"


class NotStuck(NotFound):
    """Nothing of that month waits to be tried again. Params: period."""

    code = "month.not_stuck"


class DifferenceGone(Conflict):
    """No step of the month is stuck at it: mended, changed, or never there. Params: period, difference."""

    code = "month.difference_gone"


class NoAmount(Conflict):
    """No figures to let stand: another side does not answer, or a hash is another. Params: difference."""

    code = "month.no_amount"


class DifferenceProposed(Conflict):
    """It is proposed already, or let stand. Params: difference."""

    code = "month.difference_proposed"


class SameAcceptor(Conflict):
    """Who proposed to let a difference stand does not decide it."""

    code = "month.same_person"


class AcceptanceDecided(Conflict):
    """It was decided, or its difference is gone. Params: state."""

    code = "month.acceptance_decided"
