"""Why money does not come in, or not back."""

from __future__ import annotations

from marketplace.errors import Conflict, Invalid, NotFound, Unavailable


class PaymentsNotConfigured(Unavailable):
    """The exchange takes no cards here: STRIPE_API_KEY is unset."""

    code = "payments.not_configured"


class ProviderUnavailable(Unavailable):
    """The provider did not answer, or failed: whether it did what was asked is not known yet."""

    code = "payments.provider_unavailable"


class AnswerKept(ProviderUnavailable):
    """The provider repeats an old failure for this idempotency key: only another key is tried anew."""


class CustomerGone(AnswerKept):
    """The provider has the startup's customer no more: deleted there, or the key is of another account."""


class ProviderRefused(Conflict):
    """The provider will not do it, and nothing was moved. Params: reason, the provider's code."""

    code = "payments.provider_refused"


class SignatureWrong(Invalid):
    """A webhook is not signed with one of our secrets, or too long ago."""

    code = "payments.signature_wrong"


class NoRate(Conflict):
    """No rate is configured for the currency today. Params: currency."""

    code = "payments.no_rate"


class WishUnclear(Invalid):
    """A saved method that is not named, or a bank transfer in dollars."""

    code = "payments.wish_unclear"


class NoSuchMethod(NotFound):
    """The startup has no such saved way to pay."""

    code = "payments.no_such_method"


class LineDiffers(Conflict):
    """The bank's number of a line came before with another amount, day or text. Params: bank_reference."""

    code = "payments.line_differs"


class LineInFuture(Invalid):
    """No bank has a line of a day that has not come in Viet Nam. Params: received_on."""

    code = "payments.line_in_future"


class LineAssigned(Conflict):
    """The bank line belongs to a startup already."""

    code = "payments.line_assigned"


class RefundTooMuch(Conflict):
    """More than what was paid and not refunded yet. Params: amount, most, currency."""

    code = "payments.refund_too_much"


class RefundDiffers(Conflict):
    """The refund's id came before for another payment or amount. Params: refund_id."""

    code = "payments.refund_differs"


class NothingToRefund(Conflict):
    """All that was paid has gone back, or is on its way."""

    code = "payments.nothing_left"


class PaymentDisputed(Conflict):
    """The payer's bank disputes the payment: it cannot be refunded as well."""

    code = "payments.disputed"


class PaymentTakenBack(Conflict):
    """The payer's bank has taken the payment back: it cannot be refunded as well."""

    code = "payments.taken_back"


class NotRefundable(Conflict):
    """A bank transfer: it does not go back through the card provider."""

    code = "payments.not_refundable"


class SettingsOutOfRange(Invalid):
    """An auto top-up must at least fit once into its month. Params: amount_vnd, month_limit_vnd."""

    code = "payments.settings_out_of_range"


class AutoPaused(Conflict):
    """Auto top-up waits for a person: the last one was refused. Params: reason."""

    code = "payments.auto_paused"


class AutoMonthReached(Conflict):
    """The next auto top-up would exceed its month's limit. Params: taken_vnd, amount_vnd, month_limit_vnd."""

    code = "payments.auto_month_reached"
