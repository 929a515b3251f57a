"""Why an e-invoice is not shown."""

from __future__ import annotations

from marketplace.errors import Conflict


class NotSignedYet(Conflict):
    """The document was issued and the next sweep signs it. Params: retry_after_s."""

    code = "einvoice.not_signed_yet"


class NothingToSend(Conflict):
    """Only a document that could not be signed, or is not answered, can be sent again. Params: number, state."""

    code = "einvoice.nothing_to_send"


class NotAnsweredYet(Conflict):
    """The tax office has not said yet what it thinks of the document. Params: retry_after_s."""

    code = "einvoice.not_answered"


class AlreadyAdjusted(Conflict):
    """A credit note is on the invoice, or it is one: what follows adjusts too. Params: number."""

    code = "einvoice.already_adjusted"
