"""Why a linkage cannot be proposed, changed, fed or published."""

from __future__ import annotations

from marketplace.errors import Conflict, Problem


class LinkageWrongState(Conflict):
    """The linkage stands in a state that does not know this verb. Params: state, verb."""

    code = "linkage.wrong_state"


class NoSuchOwner(Problem):
    """Nobody to link with goes by that name, or it is the caller. Params: partner."""

    status = 422
    code = "linkage.no_such_owner"


class PopulationTaken(Conflict):
    """One of the two shows these persons elsewhere already, alone or with a third. Params: population."""

    code = "linkage.population_taken"


class PopulationDiffers(Conflict):
    """The manifest is of other persons than the linkage. Params: population, asked."""

    code = "linkage.population_differs"


class OtherContribution(Conflict):
    """What the caller agrees to join with is not what the other owner has sent now."""

    code = "linkage.other_contribution"


class NothingSent(Conflict):
    """The caller's organisation has sent nothing that waits for a join."""

    code = "linkage.nothing_sent"


class FloorStands(Conflict):
    """A version of both has no suite, and none is listed unmeasured now. Params: axes."""

    code = "linkage.floor"
