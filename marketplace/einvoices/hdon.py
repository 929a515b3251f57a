"""An invoice in the tax office's XML: HDon with DLHDon (TTChung, NDHDon); MCCQT and DSCKS come later.

Names and order of elements: Decree 123/2020 as amended by Decree 70/2025, and the tax department's decision on the
data of e-invoices (QĐ 1450/QĐ-TCT, 2021). Amounts are whole đồng; a credit note adjusts, with negative ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from marketplace.calendar import VIETNAM
from marketplace.einvoices.amount_words import amount_in_words
from marketplace.invoices.document import Correction, Document, Line

if TYPE_CHECKING:
    from lxml.etree import _Element

VERSION = "2.0.0"
REPLACES, ADJUSTS = "1", "2"
"""TCHDon: what this document does to the one that it names (Decree 123/2020, Article 19)."""
GOODS = "1"
"""TChat of a line that is goods or a service."""
TITLES = {"invoice": "Hóa đơn giá trị gia tăng", "credit_note": "Hóa đơn điều chỉnh giảm"}
GOODS_NAMES = {
    "query": ("Truy vấn dữ liệu", "truy vấn"),
    "month": ("Phí tháng sử dụng dữ liệu", "khoản"),
    "minimum": ("Phần bù mức tối thiểu tháng, dữ liệu", "khoản"),
    "statutory_fee": ("Phí theo luật, dữ liệu", "khoản"),
}
"""By a line's code: what it is called, and what is counted."""
Fields = Sequence[tuple[str, "str | Fields | None"]]


def hdon(document: Document, *, seller_address: str) -> _Element:
    """The unsigned HDon; DLHDon's Id is what signatures refer to."""
    from lxml import etree

    root = etree.Element("HDon")
    data = etree.SubElement(root, "DLHDon", Id=data_id(document))
    _fill(data, [("TTChung", _header(document)), ("NDHDon", _content(document, seller_address))])
    return root


def data_id(document: Document) -> str:
    """The Id of DLHDon."""
    return f"HD{document.id.hex}"


def _header(document: Document) -> Fields:
    return [
        ("PBan", VERSION),
        ("THDon", TITLES[document.kind]),
        ("KHMSHDon", document.series[0]),
        ("KHHDon", document.series[1:]),
        ("SHDon", str(document.number)),
        ("NLap", _day(document)),
        ("DVTTe", "VND"),
        ("TGia", "1"),
        ("HTTToan", "Ví trả trước"),
        *_related(document),
    ]


def _related(document: Document) -> Fields:
    if document.replaces is not None:
        return [("TTHDLQuan", _named(REPLACES, document.replaces, None))]
    if document.corrects is not None:
        return [("TTHDLQuan", _named(ADJUSTS, document.corrects, document.reason))]
    return []


def _named(does: str, corrects: Correction, reason: str | None) -> Fields:
    return [
        ("TCHDon", does),
        ("LHDCLQuan", "1"),
        ("KHMSHDCLQuan", corrects.series[0]),
        ("KHHDCLQuan", corrects.series[1:]),
        ("SHDCLQuan", str(corrects.number)),
        ("NLHDCLQuan", corrects.issued_at.astimezone(VIETNAM).date().isoformat()),
        ("GChu", reason),
    ]


def _content(document: Document, seller_address: str) -> Fields:
    sign = -1 if document.kind == "credit_note" else 1
    seller, buyer = document.seller, document.buyer
    return [
        ("NBan", [("Ten", seller.name), ("MST", seller.tax_code), ("DChi", seller_address or None)]),
        ("NMua", [("Ten", buyer.name), ("MST", buyer.tax_code)]),
        ("DSHHDVu", [("HHDVu", _line(line, document.period, sign)) for line in document.lines]),
        (
            "TToan",
            [
                ("THTTLTSuat", _rates(document.lines, sign)),
                ("TgTCThue", str(sign * document.net_vnd)),
                ("TgTThue", str(sign * document.vat_vnd)),
                ("TgTTTBSo", str(sign * document.gross_vnd)),
                ("TgTTTBChu", amount_in_words(sign * document.gross_vnd)),
            ],
        ),
    ]


def _line(line: Line, period: str, sign: int) -> Fields:
    name, unit = GOODS_NAMES[line.code]
    return [
        ("TChat", GOODS),
        ("STT", str(line.position)),
        ("MHHDVu", line.dataset_slug or None),
        ("THHDVu", f"{name} {line.dataset_title or line.dataset_id}, tháng {period[5:]}/{period[:4]}"),
        ("DVTinh", unit),
        ("SLuong", str(line.queries)),
        ("ThTien", str(sign * line.net_vnd)),
        ("TSuat", percent(line.vat_permille)),
        ("TTKhac", [("TTin", [("TTruong", "TThue"), ("KDLieu", "numeric"), ("DLieu", str(sign * line.vat_vnd))])]),
    ]


def _rates(lines: Sequence[Line], sign: int) -> Fields:
    ordered = sorted(lines, key=lambda line: line.vat_permille)
    totals = []
    for permille, group in groupby(ordered, key=lambda line: line.vat_permille):
        same = list(group)
        net, vat = sum(line.net_vnd for line in same), sum(line.vat_vnd for line in same)
        totals.append((permille, net, vat))
    return [
        ("LTSuat", [("TSuat", percent(permille)), ("ThTien", str(sign * net)), ("TThue", str(sign * vat))])
        for permille, net, vat in totals
    ]


def percent(permille: int) -> str:
    """8% of 80, 7.5% of 75; what no tax is on is KCT."""
    if not permille:
        return "KCT"
    whole, rest = divmod(permille, 10)
    return f"{whole}.{rest}%" if rest else f"{whole}%"


def _day(document: Document) -> str:
    return document.issued_at.astimezone(VIETNAM).date().isoformat()


def _fill(parent: _Element, fields: Fields) -> None:
    """What is None is left out; what XML cannot hold becomes U+FFFD."""
    from lxml import etree

    for name, value in fields:
        if value is None:
            continue
        child = etree.SubElement(parent, name)
        if isinstance(value, str):
            child.text = "".join(char if _allowed(char) else "\ufffd" for char in value)
        else:
            _fill(child, value)


def _allowed(char: str) -> bool:
    code = ord(char)
    return code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000
