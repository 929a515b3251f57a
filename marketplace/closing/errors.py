"""What stands in the way of a month's close. Nothing of a month is invoiced while one of these does."""

from __future__ import annotations

from marketplace.errors import Conflict, NotFound


class ChargesLeft(Conflict):
    """Agreements that could pay were not charged. Params: agreements, named."""

    code = "month.charges_left"


class UsageDiffers(Conflict):
    """What startups see, what owners see and what the ledger has are not one. Params: days, named."""

    code = "month.usage_differs"


class BooksDiffer(Conflict):
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
