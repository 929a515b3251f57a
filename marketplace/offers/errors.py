"""Why an offer is not made, or no agreement can be made on it."""

from __future__ import annotations

from marketplace.errors import Conflict


class NoOffer(Conflict):
    """Nothing is offered to this startup now. Params: dataset."""

    code = "offer.none"


class OfferNotOpen(Conflict):
    """The offer is over, retired, replaced, not begun, or another's. Params: offer_id."""

    code = "offer.not_open"


class OfferRetired(Conflict):
    """It is retired already. Params: offer_id."""

    code = "offer.retired"
