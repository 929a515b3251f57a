"""What can be wrong with the regulator's work."""

from __future__ import annotations

from marketplace.errors import Conflict, Problem


class AlertAnswered(Conflict):
    """Somebody acknowledged it already."""

    code = "alert.answered"


class IncidentOver(Conflict):
    """The state of the incident has no such step."""

    code = "incident.over"


class IncidentWrong(Problem):
    """Its times cannot be."""

    code = "incident.times_wrong"


class LawMissing(Problem):
    """No entry of law.json was in force then, so there is no deadline."""

    status = 409
    code = "incident.law_missing"


class TooManyExports(Problem):
    """Of the log by one organisation at once. Params: most."""

    status = 429
    code = "export.too_many"


class NameTaken(Conflict):
    """The reader has a search of that name."""

    code = "search.name_taken"
