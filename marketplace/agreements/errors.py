"""Why an application or an agreement cannot be changed so."""

from __future__ import annotations

from marketplace.errors import Conflict


class ApplicationWrongState(Conflict):
    """The application stands in a state that does not know this verb. Params: state, verb."""

    code = "application.wrong_state"


class AgreementNotInForce(Conflict):
    """The agreement has ended or expired already. Params: state."""

    code = "agreement.not_in_force"


class NothingListed(Conflict):
    """The dataset has no released version, so there is nothing to agree on."""

    code = "application.nothing_listed"
