"""Columns of the first generator that hold personal data: whole, with blanks, mixed, or in a few cells of a text."""

from __future__ import annotations

import random
from collections.abc import Iterator

from bench.pii import register as g
from bench.pii.labelled import Labelled

_HEADERS = {
    "citizen_id": ["CCCD", "so_cccd", "Số căn cước công dân", "citizen_id", "SoCCCD", "ma_dinh_danh", "col_3", "f2", "ghi_chu_2"],
    "old_citizen_id": ["CMND", "so_cmnd", "Số CMND", "chung_minh_thu", "cmt", "old_id_card"],
    "phone": ["Số điện thoại", "sdt", "SĐT", "phone", "PhoneNumber", "dien_thoai_lien_he", "mobile_no", "c5", "ma_khach", "unnamed_4"],
    "tax_code": ["MST", "Mã số thuế", "tax_code", "ma_so_thue", "TaxID", "col7", "value"],
    "social_insurance": ["Số BHXH", "ma_bhxh", "so_so_bhxh", "social_insurance_no", "BHXH", "bao_hiem_xa_hoi"],
    "plate": ["Biển số", "bien_so_xe", "BKS", "license_plate", "plate", "col_9", "data"],
    "passport": ["Hộ chiếu", "so_ho_chieu", "passport_no", "Passport", "ho_chieu"],
    "bank_card": ["Số thẻ", "card_number", "so_the_tin_dung", "PAN", "c11", "ma_tham_chieu"],
    "email": ["Email", "thu_dien_tu", "e-mail", "contact", "c12", "ten_dang_nhap", "Địa chỉ email"],
    "person_name": ["Họ và tên", "ho_ten", "full_name", "CustomerName", "Tên khách hàng", "benh_nhan", "c1", "nguoi_nhan", "chu_ho", "field_2"],
    "address": ["Địa chỉ", "dia_chi", "address", "noi_o_hien_nay", "HKTT", "shipping_address", "c20", "x1"],
    "birth_date": ["Ngày sinh", "ngay_sinh", "DOB", "birthday", "NgaySinh", "date_of_birth", "c21", "ngay"],
    "coordinates": ["toa_do", "GPS", "location", "coordinates", "c30", "vi_tri"],
}  # fmt: skip
_FORMS: dict[str, list[g.Make]] = {
    "citizen_id": [g.citizen, g.grouped(g.citizen, 3, 3, 3), g.grouped(g.citizen, 3, 3, 3, sign=".")],
    "old_citizen_id": [g.old_citizen, g.grouped(g.old_citizen, 3, 3)],
    "phone": [
        g.phone,
        g.grouped(g.phone, 4, 3),
        g.dotted(g.phone),
        g.international,
        g.grouped(g.phone, 3, 3, sign="-"),
    ],
    "tax_code": [g.tax, lambda r: g.tax(r) + (f"-{r.randint(1, 40):03d}" if r.random() < 0.3 else "")],
    "social_insurance": [g.insurance, g.health_card],
    "plate": [g.plate, g.lower(g.plate), lambda r: g.plate(r).replace(".", "").replace("-", "").replace(" ", "")],
    "passport": [g.passport, g.lower(g.passport)],
    "bank_card": [g.card, g.grouped(g.card, 4, 4, 4), g.grouped(g.card, 4, 4, 4, sign="-")],
    "email": [g.email, g.upper(g.email)],
    "person_name": [
        g.name,
        g.unaccented(g.name),
        g.lower(g.name),
        g.upper(g.name),
        g.titled,
        g.lower(g.unaccented(g.name)),
    ],
    "address": [g.new_address, g.old_address, g.unaccented(g.old_address), g.lower(g.new_address)],
    "birth_date": [
        g.birth,
        g.birth_iso,
        lambda r: g.birth(r).replace("/", "-"),
        lambda r: g.birth(r).replace("/", "."),
    ],
    "coordinates": [g.point],
}
_OTHERS: list[g.Make] = [lambda r: "không có", lambda r: "chưa cập nhật", lambda r: "N/A", lambda r: "x"]


def _either(one: g.Make, other: g.Make) -> g.Make:
    return lambda r: r.choice([one, other])(r)


def _telling(text: str, make: g.Make) -> g.Make:
    return lambda r: text.format(x=make(r))


def positives(r: random.Random) -> Iterator[Labelled]:
    """Every header with one form or two, full or with blanks; some with words among the cells."""
    for kind, headers in _HEADERS.items():
        forms = _FORMS[kind]
        for number, header in enumerate(headers):
            make = forms[number % len(forms)]
            yield g.column(r, header, make, kind, blank=r.choice([0, 0.2]))
            other = r.choice(_OTHERS)
            either = r.choice(forms)
            yield g.column(r, header, _either(make, either), kind, blank=0.2, other=other, share=0.9)
    for header, make in (
        ("lat", g.latitude),
        ("vi_do", g.latitude),
        ("Kinh độ", g.longitude),
        ("longitude", g.longitude),
    ):
        yield g.column(r, header, make, "coordinates", blank=0.05)
    yield from _shared(r)


def _shared(r: random.Random) -> Iterator[Labelled]:
    """Two kinds in one column."""
    for header in ("lien_he", "contact_info", "c40"):
        cells, truth = [], []
        for _ in range(150):
            kind, make = r.choice([("phone", g.phone), ("email", g.email)])
            cells.append(make(r))
            truth.append(frozenset([kind]))
        yield Labelled(header=header, cells=cells, truth=truth, note="phone or email")
    for header in ("khach_hang", "customer"):
        cells, truth = [], []
        for _ in range(150):
            person = r.random() < 0.6
            cells.append(
                g.name(r)
                if person
                else f"Công ty TNHH {r.choice(['Minh Long', 'Trần Gia', 'Hoàng Anh', 'An Phát'])} {r.randint(1, 9)}"
            )
            truth.append(frozenset(["person_name"] if person else []))
        yield Labelled(header=header, cells=cells, truth=truth, note="persons and companies")


_PLAIN = [
    "Giao hàng giờ hành chính, gọi trước khi đến", "Khách yêu cầu đổi màu sản phẩm", "Đơn hàng {o} đã thanh toán đủ", "Chưa hài lòng về chất lượng phục vụ",
    "Bệnh nhân tái khám sau hai tuần, tình trạng ổn định", "Đã gửi hóa đơn số {o} cho kế toán", "Hẹn lại vào ngày {d}, mang theo kết quả", "Mã vận đơn {o} giao ngày {d}",
    "Chuyển khoản {a} đồng, nội dung thanh toán tháng 5", "Xin chậm thanh toán đến cuối tháng", "Số lô {o}, hạn dùng {d}", "Đổi 2 cái áo size L sang M",
]  # fmt: skip
_TOLD: list[tuple[str, str, g.Make]] = [
    ("phone", "Gọi cho tôi theo số {x} sau 17h", g.phone), ("phone", "sđt {x} giao buổi sáng", g.dotted(g.phone)), ("phone", "Liên hệ: {x} để nhận hàng", g.grouped(g.phone, 4, 3)),
    ("email", "Gửi báo giá vào {x} giúp em", g.email), ("citizen_id", "Khách xuất trình CCCD {x} khi nhận", g.citizen),
    ("old_citizen_id", "Giấy tờ: CMND số {x} cấp tại Hà Nội", g.old_citizen), ("tax_code", "Xuất hóa đơn, MST: {x}, gửi qua thư", g.tax),
    ("plate", "Xe biển số {x} vào cổng lúc sáng", g.plate), ("bank_card", "Hoàn tiền vào thẻ {x} của khách", g.grouped(g.card, 4, 4, 4)),
    ("passport", "Khách nước ngoài, hộ chiếu {x}, ở 3 đêm", g.passport), ("social_insurance", "Số BHXH {x} đã chốt sổ", g.insurance),
    ("person_name", "Người nhận: {x}, giao tận tay", g.name), ("person_name", "Đã trao đổi với anh {x} về đơn này", g.name),
    ("address", "Giao đến {x} trước 5 giờ", g.new_address), ("address", "Địa chỉ mới: {x}", g.old_address), ("birth_date", "Bé sinh ngày {x}, tiêm mũi 2", g.birth),
    ("coordinates", "Vị trí trạm {x} theo bản đồ", g.point),
]  # fmt: skip


def _plain(r: random.Random) -> str:
    return r.choice(_PLAIN).format(
        o=r.choice([f"0{r.randint(0, 999_999_999):09d}", f"DH{r.randint(1, 99_999):05d}", str(r.randint(10**11, 10**12))]),
        d=f"{r.randint(1, 28):02d}/{r.randint(1, 12):02d}/202{r.randint(0, 6)}", a=f"{r.randint(100, 9_999)}.000",
    )  # fmt: skip


def sparse(r: random.Random) -> Iterator[Labelled]:
    """Free text of which 5 to 30% of the cells hold something."""
    for kind, text, make in _TOLD:
        for header, share in (("ghi_chu", 0.05), ("note", 0.3), ("c50", 0.12)):
            yield g.column(
                r,
                header,
                _telling(text, make),
                kind,
                count=200,
                other=_plain,
                share=share,
                note=f"text with {kind}",
            )
