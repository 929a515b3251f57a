"""Why something cannot be watched or asked for."""

from __future__ import annotations

from marketplace.errors import Conflict


class TooManyWatches(Conflict):
    """Params: most."""

    code = "finding.too_many_watches"


class TooManyDemands(Conflict):
    """Params: most."""

    code = "finding.too_many_demands"


class DemandClosed(Conflict):
    code = "finding.demand_closed"
