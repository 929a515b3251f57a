"""Messages to and from the tax office: TDiep with TTChung and DLieu (types 200, 202, 204)."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from msgspec import Struct

from marketplace.einvoices.signed import with_code
from marketplace.einvoices.xmlsig import NotSigned, NotXml, canonical, parse, signed_elements, written

if TYPE_CHECKING:
    from lxml.etree import _Element

ASK_CODE, CODED, REFUSED = "200", "202", "204"
CODE = re.compile(r"[0-9A-Z]{34}")
OFFICE = "./DLieu/HDon/DSCKS/CQT/"
NOTICE = "./DLieu/TBao/DSCKS/CQT/"
REFUSAL_CHARS = 500
SENDER_CHARS = 14


class Coded(Struct, frozen=True):
    """The tax office gave its code; `xml` is the document with it."""

    code: str
    xml: bytes


class Refusal(Struct, frozen=True):
    """The tax office refused the document, and says why."""

    reason: str


class NotAnswered(Exception):
    """What came back settles nothing, so the same is asked again. `why`: a word of the fixed vocabulary."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def message_id(invoice_id: UUID, tax_code: str | None, *, edition: int) -> str:
    """MTDiep: always the same for an edition of a document, so that asking again is the same question."""
    asked = invoice_id if edition == 1 else uuid5(invoice_id, str(edition))
    return f"V{(tax_code or '')[:SENDER_CHARS]}{asked.hex.upper()}"


def asking(xml: bytes, *, message: str, tax_code: str | None) -> bytes:
    """The message that asks for the code of a signed document."""
    from lxml import etree

    root = etree.Element("TDiep")
    common = etree.SubElement(root, "TTChung")
    fields = (
        ("PBan", "2.0.0"), ("MNGui", f"V{tax_code or ''}"), ("MNNhan", "TCT"), ("MLTDiep", ASK_CODE),
        ("MTDiep", message), ("MTDTChieu", ""), ("MST", tax_code or ""), ("SLuong", "1"),
    )  # fmt: skip
    for name, value in fields:
        etree.SubElement(common, name).text = value
    etree.SubElement(root, "DLieu").append(parse(xml))
    return written(root)


def understand(answer: bytes, *, xml: bytes, message: str, certificate: bytes) -> Coded | Refusal:
    """What the tax office says of the document; nothing is believed that it did not sign.

    Raises NotAnswered: not_understood, other_message, not_signed, other_document, code_malformed.
    """
    try:
        root = parse(answer)
    except NotXml as wrong:
        raise NotAnswered("not_understood") from wrong
    if root.tag != "TDiep":
        raise NotAnswered("not_understood")
    if root.findtext("./TTChung/MTDTChieu") != message:
        raise NotAnswered("other_message")
    kind = root.findtext("./TTChung/MLTDiep")
    try:
        if kind == CODED:
            return _coded(root, xml, certificate)
        if kind == REFUSED:
            return _refusal(root, message, certificate)
    except NotSigned as wrong:
        raise NotAnswered("not_signed") from wrong
    raise NotAnswered("not_understood")


def _coded(root: _Element, xml: bytes, certificate: bytes) -> Coded:
    covered = signed_elements(root, OFFICE, certificate)
    data, code = covered.get("DLHDon"), covered.get("MCCQT")
    ours = parse(xml).find("DLHDon")
    if data is None or code is None or ours is None or canonical(data) != canonical(ours):
        raise NotAnswered("other_document")
    if not CODE.fullmatch(code.text or ""):
        raise NotAnswered("code_malformed")
    place = root.find(OFFICE.rstrip("/"))
    assert place is not None  # its signature was found there
    return Coded(code.text or "", with_code(xml, code, copy.deepcopy(place[0])))


def _refusal(root: _Element, message: str, certificate: bytes) -> Refusal:
    covered = signed_elements(root, NOTICE, certificate)
    notice = covered.get("DLTBao")
    if notice is None or notice.findtext("MTDiep") != message:
        raise NotAnswered("other_message")
    said = "; ".join(
        f"{each.findtext('MLoi', '')} {each.findtext('MTLoi', '')}".strip()
        for each in notice.iterfind("DSLDo/LDo")
    )
    return Refusal((said or "?")[:REFUSAL_CHARS])
