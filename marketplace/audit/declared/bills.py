"""Invoices, credits, and what the tax office said of them."""

from __future__ import annotations

from uuid import UUID

from marketplace.audit.registry import Body, event


class DocumentIssued(Body, frozen=True):
    """`sha256`: of the document's canonical JSON."""

    invoice: UUID
    number: str
    period: str
    net_vnd: int
    vat_vnd: int
    sha256: str


@event("invoice:issue", "a startup's month was billed")
class InvoiceIssued(DocumentIssued, frozen=True):
    pass


@event("invoice:credit", "a credit note was approved, and its money is back in the wallet")
class NoteIssued(DocumentIssued, frozen=True):
    corrects: UUID


@event("credit:propose", "one person of the operator proposed to give back some of an invoice")
class CreditProposed(Body, frozen=True):
    credit: UUID
    invoice: UUID
    uses: int
    reason: str


@event("credit:refuse", "another person of the operator refused it")
class CreditRefused(Body, frozen=True):
    credit: UUID
    invoice: UUID


class OfficeAnswered(Body, frozen=True):
    """`message`: the id under which the tax office was asked."""

    invoice: UUID
    message: str


@event("einvoice:code", "the tax office gave a document its code")
class EInvoiceCoded(OfficeAnswered, frozen=True):
    code: str


@event("einvoice:refuse", "the tax office refused a document")
class EInvoiceRefused(OfficeAnswered, frozen=True):
    refusal: str


@event("einvoice:retry", "a person of the operator had the tax office asked again at once")
class EInvoiceRetried(OfficeAnswered, frozen=True):
    pass


@event("einvoice:correct", "a person of the operator said a document anew: a refused one, or in place of one")
class EInvoiceCorrected(Body, frozen=True):
    """`number`: of this edition; `before`: of the one before, the same where the tax office had refused it."""

    invoice: UUID
    edition: int
    number: str
    before: str
    refusal: str | None
    why: str
    sha256: str
