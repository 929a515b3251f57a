"""Why an application or an agreement cannot be changed so."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from marketplace.db.refused import Refused
from marketplace.db.together import Statement
from marketplace.errors import Conflict, NotFound
from policies.decision import Decision


class ApplicationWrongState(Conflict):
    """The application stands in a state that does not know this verb. Params: state, verb."""

    code = "application.wrong_state"


class OpenAlready(Conflict):
    """The startup has an open application for this dataset, purpose, people, promises. Params: application_id."""

    code = "application.open_already"


class AgreementNotInForce(Conflict):
    """The agreement has ended or expired already. Params: state."""

    code = "agreement.not_in_force"


class NoBudget(NotFound):
    """The agreement is there, and its dataset answers without noise: nothing is spent of anybody's privacy."""

    code = "agreement.no_budget"


class OtherYesMissing(Conflict):
    """The dataset is of two owners, and the other one has not said yes."""

    code = "application.other_yes_missing"


class YesAlready(Conflict):
    """The caller's organisation has said yes already; the other owner decides now."""

    code = "application.yes_already"


class GrantsApart(Conflict):
    """What the two owners grant has no column in common."""

    code = "application.grants_apart"


class NothingListed(Conflict):
    """The dataset has no released version, so there is nothing to agree on."""

    code = "application.nothing_listed"


class ApplicationDenied(Refused):
    """The policy does not allow it, told as for a query: 403 with the whole decision. Params: decision_id."""

    status = 403
    code = "application.denied"

    def __init__(self, decision: Decision, decision_id: UUID, writes: Sequence[Statement]) -> None:
        super().__init__(writes, reasons=decision.reasons, decision_id=str(decision_id))
        self.decision = decision
