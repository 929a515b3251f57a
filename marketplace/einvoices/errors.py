"""Why an e-invoice is not shown."""

from __future__ import annotations

from marketplace.errors import Conflict


class NotSignedYet(Conflict):
    """The document was issued and the next sweep signs it. Params: retry_after_s."""

    code = "einvoice.not_signed_yet"
