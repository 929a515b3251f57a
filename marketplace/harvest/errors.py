"""Why a catalogue is not harvested, or a run ended early."""

from __future__ import annotations

from marketplace.errors import Conflict, Problem


class AddressRefused(Problem):
    """No http(s) address, or it leads to where the service alone may go. Params: host, reason."""

    status = 422
    code = "harvest.address_refused"


class SourceKnown(Conflict):
    """Params: url."""

    code = "harvest.source_known"


class RunFailed(Exception):
    """A run ends early; what was written stays. `code`: the report's; `wait_s`: how long to stay away."""

    def __init__(self, code: str, *, wait_s: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.wait_s = wait_s
