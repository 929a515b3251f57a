"""Tables, look-alikes and texts of the second generator."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Iterator

from bench.pii import held_out as h
from bench.pii.labelled import Labelled

NOTHING = frozenset[str]()


def _made(r: random.Random, header: str, kind: str, make: h.Make, note: str) -> Labelled:
    """Between 60 and 300 rows; a fifth of the columns has blanks, some a word for nothing."""
    count, blank = r.randint(60, 300), r.choice([0, 0, 0, 0.1, 0.25])
    word = r.choice(["", "", "-", "Không có", "null", "x", "..."])
    cells, truth = [], []
    for _ in range(count):
        if r.random() < blank:
            cells.append(word)
            truth.append(NOTHING)
        else:
            cells.append(make(r))
            truth.append(frozenset([kind]) if kind else NOTHING)
    return Labelled(header=header, cells=cells, truth=truth, note=note)


def _styled(r: random.Random, make: h.Make) -> h.Make:
    styles: list[Callable[[str], str]] = [
        str, str, str.upper, str.lower, h.plain, lambda t: h.plain(t).upper(), lambda t: h.plain(t).lower(),
    ]  # fmt: skip
    style = r.choice(styles)
    return lambda r: style(make(r))


def _spaced(r: random.Random, make: h.Make, cuts: tuple[int, ...]) -> h.Make:
    sign = r.choice(["", "", " ", ".", "-"])

    def made(r: random.Random) -> str:
        text, pieces, begin = make(r), [], 0
        for cut in cuts:
            pieces.append(text[begin : begin + cut])
            begin += cut
        return sign.join(p for p in [*pieces, text[begin:]] if p)

    return made


def _abroad(r: random.Random) -> h.Make:
    form = r.choice(["+84{}", "84{}", "+84 {}", "0084{}", "0{}", "{}"])
    return lambda r: form.format(h.mobile(r)[1:])


def _called(r: random.Random) -> str:
    title = r.choice(["Ông ", "Bà ", "Anh ", "Chị ", "Cô ", "BS ", "KH: ", "Mr ", "TS. "])
    return f"{title}{h.person(r)}"


def tables(r: random.Random) -> Iterator[Labelled]:
    """Columns that hold a kind, under headers of four houses."""
    style = r.randint(0, 7)
    specs: list[tuple[str, list[str], h.Make]] = [
        ("person_name", ["HO_TEN_BN", "hoVaTen", "Người đại diện", "TEN_KH", "TenHanhKhach", "account_holder", "Họ tên người nộp", "chuXe", "passenger_name", "A", "column1", "Unnamed: 3"], _styled(r, h.person)),
        ("person_name", ["Người liên hệ", "nguoi_ky", "bac_si_dieu_tri", "contact_person", "F7"], _styled(r, _called)),
        ("phone", ["DIEN_THOAI", "soDienThoai", "Đt liên lạc", "TEL1", "Mobile Phone", "So DT", "cot_4", "B", "MaSo"], _spaced(r, h.mobile, (4, 3))),
        ("phone", ["Phone (intl)", "sdtNguoiNha", "lienlac", "C"], _abroad(r)),
        ("citizen_id", ["SO_CCCD", "cccdNumber", "Số định danh cá nhân", "CMND/CCCD", "so_giay_to", "identityNo", "D", "cot_9"], _spaced(r, h.citizen, (3, 3, 3))),
        ("old_citizen_id", ["CMND", "Số chứng minh nhân dân", "cmndCu", "CMT"], _spaced(r, lambda r: r.choice(["01", "02", "03", "11", "16", "18", "20", "21", "24", "26", "27", "30", "33", "36"]) + f"{r.randint(1_000_001, 9_999_998) | 1}", (3, 3))),
        ("tax_code", ["MST_DN", "maSoThue", "Tax No.", "MA_SO_THUE", "E", "cot_11"], lambda r: h.tax(r) + r.choice(["", "", "", f"-{r.randint(1, 99):03d}"])),
        ("social_insurance", ["SO_BHXH", "maSoBHXH", "So so BHXH"], lambda r: r.choice(h._GSO) + f"{r.randint(10_000_000, 99_999_999)}"),
        ("social_insurance", ["THE_BHYT", "soTheBHYT", "Mã thẻ BHYT", "G"], lambda r: f"{r.choice(['DN', 'HT', 'GD', 'TE', 'HN', 'CK', 'TQ', 'BT', 'HS'])}{r.randint(1, 5)}{r.choice(h._GSO)}{r.randint(0, 9_999_999_999):010d}"),
        ("plate", ["BIEN_SO", "bienKiemSoat", "Biển số xe", "Vehicle No", "H", "cot_2"], _styled(r, h.plate)),
        ("passport", ["SO_HO_CHIEU", "passportNo", "Số hộ chiếu"], lambda r: f"{r.choice('BCNPK')}{r.randint(0, 9_999_999):07d}"),
        ("bank_card", ["SO_THE", "cardNo", "Số thẻ ghi nợ", "I", "cot_15"], _spaced(r, h.card, (4, 4, 4))),
        ("email", ["EMAIL_KH", "thuDienTu", "E-mail liên hệ", "J", "login"], _styled(r, h.mailbox)),
        ("address", ["DIA_CHI", "diaChiThuongTru", "Nơi ở hiện tại", "Address Line", "hoKhau", "K", "noiGiaoHang", "cot_20"], _styled(r, h.home)),
        ("birth_date", ["NGAY_SINH", "ngaySinh", "Ngày tháng năm sinh", "birthDate", "DOB", "NS"], lambda r: h.written(r, h.born(r), style)),
        ("birth_date", ["L", "cot_21"], lambda r: h.written(r, h.born(r), style)),
        ("coordinates", ["TOA_DO", "gps", "viTri", "M"], h.place),
        ("coordinates", ["VI_DO", "lat", "latitude_y"], lambda r: f"{r.uniform(8.6, 23.3):.5f}"),
        ("coordinates", ["KINH_DO", "lng", "lon"], lambda r: f"{r.uniform(102.2, 109.4):.5f}"),
    ]  # fmt: skip
    for kind, headers, make in specs:
        for header in r.sample(headers, min(3, len(headers))):
            yield _made(r, header, kind, make, f"table {kind}")


def others(r: random.Random) -> Iterator[Labelled]:
    """Columns that hold none."""
    start = r.randint(1, 9) * 10_000_000 + r.randint(0, 9_999_999)
    count = iter(range(start, start + 10_000))
    specs: list[tuple[str, list[str], h.Make]] = [
        ("counter of ten", ["SO_HD", "maHoaDon", "N", "cot_30"], lambda r: f"09{next(count):08d}"),
        ("ten from zero", ["maDonHang", "ORDER_NO", "O"], lambda r: "0" + "".join(r.choices("0123456789", k=9))),
        ("twelve", ["MA_GD", "transactionId", "P"], lambda r: "".join(r.choices("0123456789", k=12))),
        ("twelve by date", ["soChungTu", "Q"], lambda r: f"20{r.randint(19, 26)}{r.randint(1, 12):02d}{r.randint(1, 28):02d}{r.randint(0, 9999):04d}"),
        ("sixteen", ["maVanDon", "tracking_code", "R"], lambda r: "".join(r.choices("0123456789", k=16))),
        ("thirteen", ["barcode", "EAN", "S"], lambda r: "893" + "".join(r.choices("0123456789", k=10))),
        ("nine", ["maVatTu", "T"], lambda r: str(r.randint(10**8, 10**9 - 1))),
        ("money", ["SO_TIEN", "luongThang", "U"], lambda r: f"{r.randint(10, 99_999) * 1000:,}".replace(",", r.choice([",", "."]))),
        ("account", ["soTaiKhoan", "STK"], lambda r: "".join(r.choices("0123456789", k=r.choice([10, 12, 13])))),
        ("wares", ["TEN_HANG", "tenSanPham", "V", "Product"], lambda r: r.choice(h._WARES)),
        ("firms", ["TEN_DON_VI", "donViCongTac", "W", "Công ty"], lambda r: r.choice(h._FIRMS)),
        ("roads", ["TEN_DUONG", "tuyenDuong"], lambda r: r.choice(h._ROADS)),
        ("issue", ["NGAY_CAP", "ngayVaoVien", "Ngày lập", "issuedOn"], lambda r: h.written(r, datetime.date(2000, 1, 1) + datetime.timedelta(days=r.randint(0, 9_600)), 0)),
        ("visits", ["X", "thoiGian"], lambda r: h.written(r, datetime.date(2021, 1, 1) + datetime.timedelta(days=r.randint(0, 1_900)), 1)),
        ("letter code", ["maThuoc", "Y"], lambda r: f"{r.choice('ABCDEFGHIJKLMNOPQRSTUVWXYZ')}{r.randint(0, 99_999_999):08d}"),
        ("room", ["phong", "Z"], lambda r: f"{r.choice('ABC')}{r.randint(1, 9)}-{r.randint(100, 999)}"),
        ("sizes", ["kichThuoc", "AA"], lambda r: f"{r.uniform(1, 30):.1f} x {r.uniform(1, 30):.1f}"),
        ("percent", ["tyLe", "AB"], lambda r: f"{r.uniform(0, 1):.5f}"),
        ("scores", ["diemThi", "AC"], lambda r: f"{r.uniform(0, 10):.2f}"),
        ("illness", ["CHAN_DOAN", "benhChinh", "AD"], lambda r: r.choice(["Viêm phế quản cấp", "Tăng huyết áp vô căn", "Đái tháo đường type 2", "Viêm dạ dày", "Gãy xương đòn", "Hen phế quản", "Lao phổi", "An thần"])),
        ("jobs", ["chucDanh", "nghe"], lambda r: r.choice(["Giáo viên", "Công nhân", "Lái xe", "Kế toán trưởng", "Nông dân", "Văn thư", "Bác sĩ chuyên khoa"])),
        ("hosts", ["ip", "may_chu", "AE"], lambda r: ".".join(str(r.randint(1, 254)) for _ in range(4))),
        ("links", ["url", "AF"], lambda r: f"https://vi.example.org/p/{r.randint(10**8, 10**9)}?ref={r.randint(10**9, 10**10)}"),
        ("flags", ["gioiTinh", "AG"], lambda r: r.choice(["Nam", "Nữ"])),
    ]  # fmt: skip
    for note, headers, make in specs:
        for header in headers[:2] if r.random() < 0.5 else headers[-2:]:
            yield _made(r, header, "", make, f"other {note}")


_IDLE = [
    "Khách hẹn quay lại sau Tết", "Máy lạnh kêu to, đã thay quạt", "Thiếu phiếu bảo hành, sẽ bổ sung", "Xe về bến trễ 25 phút vì mưa", "Bé sốt nhẹ, theo dõi thêm 24 giờ",
    "Phiếu số {n} đã hủy", "Mã tham chiếu {n}, đối soát ngày {d}", "Hợp đồng {n}/HĐ-2025 ký ngày {d}", "Nhập kho 120 thùng, lô {n}", "Tuyến Hà Nội - Hải Phòng tăng 2 chuyến", "Chuyển sang khoa Nội tổng hợp",
    "Số seri {n}, bảo hành 12 tháng", "Đường Trường Chinh đang sửa, đi vòng", "Quà tặng kèm: bình nước Lock&Lock", "Giảm 10% cho hóa đơn từ 500.000đ",
]  # fmt: skip
_SAYS: list[tuple[str, list[str], h.Make]] = [
    ("phone", ["Gọi {x} gặp chủ nhà", "Nhắn Zalo {x} trước khi tới", "ĐT: {x}", "alo {x} ko nghe máy thì để lễ tân", "Khách đổi số mới {x}"], h.mobile),
    ("email", ["Hóa đơn gửi {x}", "mail {x} nhé", "Đã cc cho {x} và phòng kế toán"], h.mailbox),
    ("citizen_id", ["Đối chiếu CCCD số {x}, khớp ảnh", "căn cước {x} hết hạn 2031", "Bổ sung bản sao căn cước công dân: {x}"], h.citizen),
    ("tax_code", ["xuất VAT cho MST {x}", "Mã số thuế: {x} (đã tra cứu)"], h.tax),
    ("plate", ["Gửi xe BKS {x} tầng hầm", "Biển số {x} va quẹt nhẹ", "xe {x} đỗ sai chỗ"], h.plate),
    ("bank_card", ["quẹt thẻ {x} lỗi, thử lại", "Hoàn về thẻ số {x}"], h.card),
    ("person_name", ["Bàn giao cho chị {x} lúc 9h", "BN {x} nhập viện", "Do anh {x} ký nhận", "Ông {x} khiếu nại lần 2", "Liên hệ {x} để lấy đồ"], h.person),
    ("address", ["Ship tới {x}", "Nhà ở {x}, gần chợ", "Chuyển đến {x} từ tháng sau"], h.home),
    ("birth_date", ["Cháu sinh ngày {x}", "DOB: {x}, đã tiêm đủ", "(ngày sinh {x})"], lambda r: h.written(r, h.born(r), 0)),
    ("passport", ["Hộ chiếu {x} còn hạn", "passport no. {x}"], lambda r: f"{r.choice('BCNP')}{r.randint(0, 9_999_999):07d}"),
    ("social_insurance", ["Sổ BHXH số {x} chốt đến 6/2025", "Mã BHXH: {x}"], lambda r: r.choice(h._GSO) + f"{r.randint(10_000_000, 99_999_999)}"),
    ("old_citizen_id", ["CMND cũ: {x}", "số chứng minh {x}"], lambda r: f"{r.choice(['01', '02', '16', '24', '30'])}{r.randint(1_000_001, 9_999_998) | 1}"),
]  # fmt: skip


def texts(r: random.Random) -> Iterator[Labelled]:
    """Free text, of which 4 to 30% holds one kind, or two; and some of which none does."""
    for kind, says, make in _SAYS:
        share = r.choice([0.04, 0.1, 0.3])
        cells, truth = [], []
        for _ in range(r.randint(150, 300)):
            if r.random() < share:
                cells.append(r.choice(says).format(x=make(r)))
                truth.append(frozenset([kind]))
            else:
                cells.append(_idle(r))
                truth.append(NOTHING)
        yield Labelled(
            header=r.choice(["GHI_CHU", "dienGiai", "notes", "Nội dung", "AH", "yKien"]),
            cells=cells,
            truth=truth,
            note=f"text with {kind}",
        )
    yield _made(r, r.choice(["lyDo", "moTa", "AI"]), "", _idle, "text without")


def _idle(r: random.Random) -> str:
    number = r.choice(
        [f"{r.randint(0, 10**10 - 1):010d}", f"{r.randint(0, 10**12 - 1):012d}", f"PN{r.randint(0, 99_999):05d}"]
    )
    return r.choice(_IDLE).format(n=number, d=f"{r.randint(1, 28)}/{r.randint(1, 12)}/20{r.randint(18, 26)}")
