"""The seller's signed HDon, and the same with the tax office's code and signature in it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from marketplace.einvoices.hdon import data_id, hdon
from marketplace.einvoices.identity import Identity
from marketplace.einvoices.xmlsig import parse, signature, written
from marketplace.invoices.document import Document

if TYPE_CHECKING:
    from lxml.etree import _Element


def seller_signed(document: Document, identity: Identity, *, seller_address: str, at: datetime) -> bytes:
    """HDon with DSCKS/NBan."""
    from lxml import etree

    root = hdon(document, seller_address=seller_address)
    made = signature(root, [data_id(document)], identity, at=at)
    etree.SubElement(etree.SubElement(root, "DSCKS"), "NBan").append(made)
    return written(root)


def with_code(xml: bytes, code: _Element, office_signature: _Element) -> bytes:
    """The same document, MCCQT after DLHDon and the tax office's signature beside the seller's."""
    from lxml import etree

    root = parse(xml)
    data, signatures = root.find("DLHDon"), root.find("DSCKS")
    assert data is not None  # we wrote it
    assert signatures is not None
    data.addnext(code)
    etree.SubElement(signatures, "CQT").append(office_signature)
    return written(root)
