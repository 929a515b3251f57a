"""The first generator: columns as registers, shops and clinics in Viet Nam have them, with hard negatives."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from vietnam_provinces import Province, Ward

from bench.pii.labelled import Labelled
from catalog.search import fold

Make = Callable[[random.Random], str]
_SURNAMES = (
    ["Nguyễn"] * 32
    + ["Trần"] * 11
    + ["Lê"] * 9
    + ["Phạm"] * 7
    + ["Hoàng"] * 4
    + ["Huỳnh"] * 4
    + ["Phan"] * 4
    + "Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Đinh Trịnh Đoàn Mai Lương Tạ Châu Thái Quách Lâm Cao Tô Kiều Mạc Nghiêm Hà Lưu".split()
    + ["Lò", "Giàng", "Vàng", "Sùng", "Thạch", "Ksor", "Cù", "Tống", "La", "Phùng"]
)
_MALE = "Văn Văn Văn Hữu Đức Minh Quang Công Đình Xuân Quốc Ngọc Thanh Anh Hoàng Gia Tuấn Trọng Bá Thành".split()
_FEMALE = "Thị Thị Thị Ngọc Thu Thanh Kim Phương Minh Hồng Mỹ Bích Diệu Thùy Khánh Hoài".split()
_BOYS = (
    "An Anh Bình Cường Dũng Đạt Đức Giang Hải Hiếu Hiệp Hùng Huy Khánh Kiên Khoa Long Lâm Minh Nam Nghĩa Nhân Phong Phúc Phú "
    "Quân Quang Quyết Sơn Tài Tân Thắng Thành Thịnh Tiến Toàn Trung Trường Tú Tuấn Tùng Việt Vinh Vũ Bảo Lộc Tâm Thiện Khôi"
).split()
_GIRLS = (
    "Anh Châu Chi Diễm Dung Duyên Giang Hà Hạnh Hằng Hiền Hoa Hoài Hồng Huệ Hương Huyền Lan Linh Loan Ly Mai My Nga Ngân "
    "Ngọc Nguyệt Nhi Nhung Oanh Phương Quyên Quỳnh Tâm Thảo Thanh Thơm Thu Thủy Thúy Trang Trâm Trinh Tuyết Uyên Vân Vy Xuân Yến"
).split()
_CODES = (
    "001 002 004 006 008 010 011 012 014 015 017 019 020 022 024 025 026 027 030 031 033 034 035 036 037 038 040 042 044 045 046 "
    "048 049 051 052 054 056 058 060 062 064 066 067 068 070 072 074 075 077 079 080 082 083 084 086 087 089 091 092 093 094 095 096"
).split()
_MOBILE = "032 033 034 035 036 037 038 039 056 058 070 076 077 078 079 081 082 083 084 085 086 088 089 090 091 093 094 096 097 098 099".split()
_STREETS = (
    "Nguyễn Trãi|Lê Lợi|Trần Hưng Đạo|Hai Bà Trưng|Cách Mạng Tháng Tám|Phan Văn Trị|Lê Văn Việt|Hoàng Quốc Việt|Xuân Thủy|"
    "Nguyễn Văn Linh|Huỳnh Tấn Phát|Tô Hiến Thành|Láng Hạ|Trường Sa|Âu Cơ|Hùng Vương|Kim Giang|Lý Thái Tổ|Võ Chí Công|Tân Mai"
).split("|")
_OLD = (
    "Bến Nghé, Quận 1, TP. Hồ Chí Minh|Dịch Vọng, Cầu Giấy, Hà Nội|Láng Thượng, Đống Đa, Hà Nội|Hòa Khánh Bắc, Liên Chiểu, Đà Nẵng|"
    "Phú Mỹ, Thủ Dầu Một, Bình Dương|Tân An, Buôn Ma Thuột, Đắk Lắk|Ninh Xá, thành phố Bắc Ninh, Bắc Ninh|Cát Dài, Lê Chân, Hải Phòng|"
    "Vĩnh Trại, TP Lạng Sơn, Lạng Sơn|An Hòa, Rạch Giá, Kiên Giang|Phước Vĩnh, TP Huế, Thừa Thiên Huế|Quang Trung, TP Thái Bình, Thái Bình"
).split("|")


def name(r: random.Random) -> str:
    if r.random() < 0.5:
        middle, given = _MALE, _BOYS
    else:
        middle, given = _FEMALE, _GIRLS
    words = [r.choice(_SURNAMES), *([r.choice(middle)] if r.random() < 0.93 else [])]
    if r.random() < 0.12:
        words.append(r.choice(given))
    return " ".join([*words, r.choice(given)])


def titled(r: random.Random) -> str:
    return f"{r.choice(['Ông', 'Bà', 'Anh', 'Chị', 'BS.', 'ThS.', 'Mr.', 'Ms.'])} {name(r)}"


def citizen(r: random.Random) -> str:
    born = r.randint(1940, 2010)
    century = (0 if born < 2000 else 2) + r.randint(0, 1)
    return f"{r.choice(_CODES)}{century}{born % 100:02d}{r.randint(1, 99_999):06d}"


def old_citizen(r: random.Random) -> str:
    return f"{r.choice(['01', '02', '03', '11', '12', '13', '14', '15', '16', '17', '18', '19', '20', '21', '22', '23', '24', '25', '26', '27', '28', '29', '30', '31', '32', '33', '34', '35', '36'])}{r.randint(1_000_001, 9_999_989) | 1:07d}"


def phone(r: random.Random) -> str:
    return r.choice(_MOBILE) + f"{r.randint(0, 9_999_999):07d}"


def landline(r: random.Random) -> str:
    return r.choice(["024", "028"]) + r.choice("36") + f"{r.randint(0, 9_999_999):07d}"


def tax(r: random.Random) -> str:
    while True:
        nine = f"{r.choice(['01', '03', '02', '31', '37', '36', '04', '18', '80', '81', '82', '83', '84', '85', '11', '27'])}{r.randint(0, 9_999_999):07d}"
        check = 10 - sum(w * int(d) for w, d in zip((31, 29, 23, 19, 17, 13, 7, 5, 3), nine, strict=True)) % 11
        if check < 10:
            return f"{nine}{check}"


def insurance(r: random.Random) -> str:
    return r.choice(_CODES)[1:] + f"{r.randint(1_000_000, 99_999_999):08d}"


def health_card(r: random.Random) -> str:
    return (
        r.choice(["DN", "HC", "GD", "TE", "HS", "SV", "HT", "CN", "DT", "BT"])
        + str(r.randint(1, 5))
        + r.choice(_CODES)[1:]
        + f"{r.randint(0, 9_999_999_999):010d}"
    )


def plate(r: random.Random) -> str:
    province = r.choice(
        [
            "29",
            "30",
            "31",
            "51",
            "59",
            "61",
            "43",
            "15",
            "36",
            "37",
            "98",
            "99",
            "60",
            "72",
            "65",
            "20",
            "14",
            "88",
            "89",
            "34",
        ]
    )
    if r.random() < 0.5:
        return f"{province}{r.choice('ABCDEFGHKLM')}-{r.randint(100, 999)}.{r.randint(0, 99):02d}"
    return f"{province}-{r.choice('BCDEFGHKLMNPSTUVXYZ')}{r.randint(1, 9)} {r.randint(100, 999)}.{r.randint(0, 99):02d}"


def passport(r: random.Random) -> str:
    return (
        f"{r.choice('BCNPEK')}{r.randint(0, 9_999_999):07d}"
        if r.random() < 0.7
        else f"{r.choice('PEC')}{r.randint(0, 99_999_999):08d}"
    )


def card(r: random.Random) -> str:
    head = r.choice(["970436", "970415", "970422", "4111", "4539", "5425", "5188", "2223", "356600"])
    body = head + "".join(str(r.randint(0, 9)) for _ in range(15 - len(head)))
    total = sum(sum(divmod(int(d) * (2 - place % 2), 10)) for place, d in enumerate(reversed(body)))
    return body + str(-total % 10)


def email(r: random.Random) -> str:
    words = fold(name(r)).split()
    box = r.choice(
        [
            ".".join(words),
            words[-1] + words[0],
            words[-1] + str(r.randint(1960, 2010)),
            "_".join(words),
            words[-1] + "".join(w[0] for w in words[:-1]),
        ]
    )
    return f"{box}@{r.choice(['gmail.com', 'yahoo.com.vn', 'hust.edu.vn', 'outlook.com', 'viettel.vn', 'abc-corp.com.vn', 'moh.gov.vn'])}"


_PROVINCES = list(Province.iter_all())
_WARDS = {p.name: [w.name for w in Ward.iter_by_province(p.code)] for p in _PROVINCES}


def new_address(r: random.Random) -> str:
    province = r.choice(list(_WARDS))
    ward = r.choice(_WARDS[province])
    short = province.removeprefix("Thành phố ").removeprefix("Tỉnh ")
    place = r.choice(
        [
            f"Số {r.randint(1, 400)} {r.choice(_STREETS)}",
            f"{r.randint(1, 900)}/{r.randint(1, 40)} {r.choice(_STREETS)}",
            f"Thôn {r.randint(1, 12)}",
            f"Tổ {r.randint(1, 30)}",
            f"Ấp {r.choice(['Tân Hòa', 'Bình An', 'Phú Thạnh'])}",
            f"{r.randint(1, 300)} đường {r.choice(_STREETS)}",
        ]
    )
    return f"{place}, {ward}, {r.choice([short, province, 'tỉnh ' + short])}"


def old_address(r: random.Random) -> str:
    ward = r.choice(_OLD)
    place = r.choice(
        [
            f"{r.randint(1, 400)} {r.choice(_STREETS)}",
            f"Số {r.randint(1, 90)} ngõ {r.randint(1, 300)} {r.choice(_STREETS)}",
            f"{r.randint(1, 99)}/{r.randint(1, 99)}/{r.randint(1, 9)} {r.choice(_STREETS)}",
            f"Căn hộ {r.randint(1, 30)}{r.randint(0, 9)}{r.randint(0, 9)} chung cư Hòa Bình, {r.choice(_STREETS)}",
        ]
    )
    return f"{place}, {r.choice(['P.', 'phường ', 'Phường '])}{ward}"


def birth(r: random.Random) -> str:
    return f"{r.randint(1, 28):02d}/{r.randint(1, 12):02d}/{r.randint(1935, 2018)}"


def birth_iso(r: random.Random) -> str:
    return f"{r.randint(1935, 2018)}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}"


def point(r: random.Random) -> str:
    return f"{r.uniform(8.6, 23.2):.{r.choice([5, 6])}f}, {r.uniform(102.5, 109.3):.{r.choice([5, 6])}f}"


def latitude(r: random.Random) -> str:
    return f"{r.uniform(8.6, 23.2):.6f}"


def longitude(r: random.Random) -> str:
    return f"{r.uniform(102.5, 109.3):.6f}"


def grouped(make: Make, *sizes: int, sign: str = " ") -> Make:
    def made(r: random.Random) -> str:
        text, pieces = make(r), []
        for size in sizes:
            pieces.append(text[:size])
            text = text[size:]
        return sign.join([*pieces, *([text] if text else [])])

    return made


def international(r: random.Random) -> str:
    digits = phone(r)[1:]
    return r.choice(
        [
            f"+84{digits}",
            f"84{digits}",
            f"+84 {digits[:2]} {digits[2:5]} {digits[5:]}",
            f"(+84) {digits[:3]} {digits[3:6]} {digits[6:]}",
        ]
    )


def dotted(make: Make) -> Make:
    return grouped(make, 4, 3, sign=".")


def unaccented(make: Make) -> Make:
    return lambda r: fold(make(r)).title()


def lower(make: Make) -> Make:
    return lambda r: make(r).lower()


def upper(make: Make) -> Make:
    return lambda r: make(r).upper()


def column(
    r: random.Random,
    header: str,
    make: Make,
    kind: str,
    *,
    count: int = 150,
    blank: float = 0.0,
    other: Make | None = None,
    share: float = 1.0,
    note: str = "",
) -> Labelled:
    """`share` of the cells are of the kind, the rest made by `other`; `blank` of all are empty."""
    cells, truth = [], []
    for _ in range(count):
        if r.random() < blank:
            cells.append(r.choice(["", "", " "]))
            truth.append(frozenset[str]())
        elif r.random() < share:
            cells.append(make(r))
            truth.append(frozenset([kind] if kind else []))
        else:
            assert other is not None
            cells.append(other(r))
            truth.append(frozenset())
    return Labelled(header=header, cells=cells, truth=truth, note=note or kind or "negative")


def columns(seed: int) -> Iterator[Labelled]:
    """All of it: a few hundred columns, the same for a seed."""
    from bench.pii.register_columns import positives, sparse
    from bench.pii.register_negatives import negatives

    r = random.Random(seed)
    yield from positives(r)
    yield from sparse(r)
    yield from negatives(r)
