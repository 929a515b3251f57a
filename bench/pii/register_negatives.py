"""Columns of the first generator that look like personal data and are none."""

from __future__ import annotations

import random
from collections.abc import Iterator

from bench.pii import register as g
from bench.pii.labelled import Labelled
from bench.pii.register_columns import _plain

_PRODUCTS = (
    "Trà Sen Vàng|Mai Vàng Bonsai|Trần Châu Đường Đen|Hoàng Kim Premium|Lê Ki Ma|Hồ Tiêu Phú Quốc|Dương Cầm Yamaha|Bảo Ngọc Cake|"
    "Phan Rang Nho Khô|Lý Sơn Tỏi|Đào Nhật Tân|Mai An Tiêm Dưa Hấu|Ngô Ngọt Mỹ|Hà Thủ Ô Đỏ|Cao Sao Vàng|Lương Khô BB|Vũ Nữ Chân Dài|"
    "Kim Ngân Hoa|Đinh Lăng Khô|Thạch Rau Câu|Tô Bún Bò|Cam Sành Hàm Yên|Bùi Bùi Hạt Điều|Đỗ Đen Xanh Lòng"
).split("|")
_FIRMS = (
    "Công ty TNHH Trần Gia|Nguyễn Kim|Công ty CP Hoàng Anh Gia Lai|Doanh nghiệp tư nhân Lê Văn Hùng|Mai Linh|Tập đoàn Hòa Phát|"
    "Công ty Cổ phần Thiên Long|HTX Nông nghiệp Tân Phú|Nhà thuốc Minh Châu|Phúc Long|Cửa hàng Bảo Tín Minh Châu|Trung Nguyên|Ngân hàng Á Châu"
).split("|")
_STREETISH = (
    "Đường trắng Biên Hòa 1kg|Phố cổ về đêm|Số 5 trong danh sách|Ngõ cụt của ngành xe|Đường phèn hạt nhỏ|Phường hội thủ công|"
    "Xã hội học đại cương|Thôn tính thị trường|Tổ hợp âm thanh 5.1|12 món ăn ngon|Đường đi nhanh nhất|Số 10 kép|24 giờ giao hàng"
).split("|")
_TEN = "0{:09d}"


def _counter(start: int, width: int) -> g.Make:
    state = {"next": start}

    def made(r: random.Random) -> str:
        state["next"] += r.randint(1, 3)
        return f"{state['next']:0{width}d}"

    return made


def negatives(r: random.Random) -> Iterator[Labelled]:
    """Each with a header that says what it is, and again with one that says nothing."""
    makes: list[tuple[str, list[str], g.Make]] = [
        ("invoice", ["so_hoa_don", "Invoice No", "c1"], _counter(912_345_000, 10)),
        ("ten digits", ["ma_don_hang", "order_id", "c2"], lambda r: _TEN.format(r.randint(0, 999_999_999))),
        ("ten digits any", ["ma_van_don", "ref", "c3"], lambda r: str(r.randint(10**9, 10**10 - 1))),
        ("twelve digits", ["ma_giao_dich", "trace_no", "c4"], lambda r: str(r.randint(10**11, 10**12 - 1))),
        ("twelve with zero", ["tham_chieu", "so_chung_tu", "c5"], lambda r: f"0{r.randint(0, 10**11 - 1):011d}"),
        ("nine digits", ["ma_hang", "sku", "c6"], lambda r: str(r.randint(10**8, 10**9 - 1))),
        ("sixteen digits", ["ma_vach", "serial", "c7"], lambda r: str(r.randint(10**15, 10**16 - 1))),
        ("amounts", ["so_tien", "Thành tiền", "c8"], lambda r: str(r.randint(1, 99_999) * 10_000)),
        ("amounts dotted", ["doanh_thu", "amount_vnd", "c9"], lambda r: f"{r.randint(100_000_000, 999_999_999):,}".replace(",", ".")),
        ("stamps", ["timestamp", "epoch", "c10"], lambda r: str(r.randint(1_600_000_000, 1_790_000_000))),
        ("dated order", ["ma_phieu", "c11"], lambda r: f"25{r.randint(1, 12):02d}{r.randint(1, 28):02d}{r.randint(1, 9999):04d}"),
        ("products", ["ten_san_pham", "product_name", "ten", "c12"], lambda r: r.choice(_PRODUCTS)),
        ("firms", ["ten_cong_ty", "nha_cung_cap", "c13"], lambda r: r.choice(_FIRMS)),
        ("streets", ["ten_duong", "c14"], lambda r: r.choice(g._STREETS)),
        ("street-like", ["mo_ta", "tieu_de", "c15"], lambda r: r.choice(_STREETISH)),
        ("dates of issue", ["ngay_cap", "created_at", "hire_date"], lambda r: f"{r.randint(1, 28):02d}/{r.randint(1, 12):02d}/{r.randint(2005, 2026)}"),
        ("recent dates", ["ngay", "date", "c16"], lambda r: f"202{r.randint(0, 6)}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}"),
        ("founded", ["ngay_thanh_lap", "founded"], lambda r: f"{r.randint(1, 28):02d}/{r.randint(1, 12):02d}/{r.randint(1960, 2024)}"),
        ("codes with letter", ["ma_sp", "item_code", "c17"], lambda r: f"{r.choice('ABCDEFGHIJKLMNOPQRSTUVWXYZ')}{r.randint(0, 9_999_999):07d}"),
        ("flats", ["can_ho", "c18"], lambda r: f"{r.randint(1, 40):02d}{r.choice('ABC')}-{r.randint(100, 999)}"),
        ("measurements", ["nhiet_do", "ket_qua", "c19"], lambda r: f"{r.uniform(5, 40):.2f}"),
        ("handles", ["tai_khoan_mxh", "c20"], lambda r: f"@{r.choice(['an', 'hoa', 'minh'])}{r.randint(1, 999)}"),
        ("files", ["tep", "anh"], lambda r: f"anh_{r.randint(1, 99)}@{r.randint(2, 3)}x.png"),
        ("ages", ["tuoi", "so_con"], lambda r: str(r.randint(0, 90))),
        ("provinces", ["tinh", "province"], lambda r: r.choice(g._PROVINCES).name),
        ("texts", ["ghi_chu", "noi_dung", "c21"], _plain),
        ("classes", ["hang", "loai"], lambda r: r.choice(["A1", "B", "C", "D2"])),
        ("versions", ["phien_ban", "ip"], lambda r: ".".join(str(r.randint(0, 255)) for _ in range(4))),
        ("uuid", ["id", "session"], lambda r: f"{r.getrandbits(64):016x}"),
    ]  # fmt: skip
    for note, headers, make in makes:
        for header in headers:
            yield g.column(r, header, make, "", blank=r.choice([0, 0.2]), note=note)
