"""The second generator, in another style: exports of a hospital, a bank, a bus company and a marketplace, each a few
whole tables with their own habits. Nothing in the recognisers was tuned on its words; it shares none with the first."""

from __future__ import annotations

import datetime
import random
import string
from collections.abc import Callable, Iterator

from bench.pii.labelled import Labelled

Make = Callable[[random.Random], str]
Cell = tuple[str, frozenset[str]]

_HO = "Nguyễn,Nguyễn,Nguyễn,Nguyễn,Trần,Trần,Lê,Lê,Phạm,Phạm,Huỳnh,Hoàng,Phan,Vũ,Võ,Đặng,Bùi,Đỗ,Ngô,Hồ,Dương,Đinh,Lý,Trương,Đào,Đoàn,Vương,Trịnh,Phùng,Tăng,Chu,Mai,Tôn,Kim,Hứa,Lại,Ông,Âu,Đàm,Bành,Khổng,Thân,Ninh,Quản,Lường,Hà,Cầm,Bế,Nông,Triệu".split(
    ","
)
_DEM_NAM = "Văn,Hữu,Đình,Bá,Trọng,Duy,Nhật,Thế,Mạnh,Tấn,Phước,Khắc,Viết,Sỹ,Hồng,Chí,Như,Vĩnh,Đại,Thiên".split(",")
_DEM_NU = "Thị,Thị,Thị,Thùy,Ánh,Hải,Tường,Quỳnh,Bảo,Yến,Cẩm,Lệ,Tú,Thảo,Hà,Nhã,Trúc,Như,Uyên".split(",")
_TEN_NAM = "Hậu,Lực,Thông,Tín,Nghị,Cảnh,Chiến,Công,Danh,Đông,Đăng,Hào,Hòa,Hưng,Khang,Kỳ,Lương,Mẫn,Ngọc,Nhật,Phát,Pháp,Quý,Sang,Thuận,Tiệp,Trí,Trọng,Tường,Văn,Vượng,Xuân,Ý,Đoàn,Bách,Biên,Luân,Nguyên,Tuyên,Sinh".split(
    ","
)
_TEN_NU = "Ái,Bích,Cúc,Đào,Diệp,Diệu,Gấm,Hạ,Hân,Hiên,Hồng,Khuê,Kiều,Lài,Lê,Liên,Loan,Lụa,Mận,Mến,Miên,Na,Nga,Nhàn,Như,Phượng,Quế,Sen,Sương,Thắm,Thi,Thư,Tiên,Trà,Tuyền,Út,Vui,Vinh,Xuyến,Ngà,Khánh,My".split(
    ","
)
_FIRMS = "Công ty TNHH MTV Vận tải Đại Phát|Công ty cổ phần Dược Hậu Giang|Cty CP Đầu tư Xây dựng Số 9|HTX Rau sạch Đà Lạt|Văn phòng công chứng Nguyễn Huệ|Trường THPT Lê Hồng Phong|Bệnh viện Từ Dũ|Siêu thị Lan Chi|Xưởng mộc Trần Văn|Tổng công ty Lương thực Miền Nam|Nhà xe Phương Trang|Khách sạn Hoàng Yến".split(
    "|"
)
_WARES = "Áo sơ mi nam Việt Tiến|Gạo ST25 Ông Cua|Nước mắm Nam Ngư|Đèn bàn Rạng Đông|Bút bi Thiên Long|Sữa Ông Thọ đỏ|Bánh pía Tân Huê Viên|Cà phê Trung Nguyên S|Dầu gội Lan Hương|Chè Thái Nguyên|Kẹo dừa Bến Tre|Phở Thìn|Võng xếp Duy Lợi|Mì Hảo Hảo|Lê Nâu Hàn Quốc|Bàn ủi Kim Cương|Hoa Hồng Đà Lạt|Đào Tiên|Mai Chiếu Thủy".split(
    "|"
)
_ROADS = "Điện Biên Phủ|Nguyễn Đình Chiểu|Trường Chinh|Giải Phóng|Ngô Gia Tự|Lê Duẩn|Phạm Văn Đồng|Quang Trung|Lạc Long Quân|Hoàng Diệu|30 Tháng 4|Trần Phú|Bà Triệu|Nguyễn Công Trứ|Tố Hữu|Hồ Tùng Mậu|Bạch Đằng|Tôn Đức Thắng|An Dương Vương|Phan Đình Phùng".split(
    "|"
)
_OLD = [
    ("Phường 7", "Quận 3", "TP HCM"),
    ("P. Tân Định", "Q. 1", "Tp. Hồ Chí Minh"),
    ("xã Vĩnh Lộc A", "huyện Bình Chánh", "TPHCM"),
    ("phường Trung Hòa", "quận Cầu Giấy", "Hà Nội"),
    ("X. Đông Anh", "H. Đông Anh", "HN"),
    ("phường Hải Châu 1", "quận Hải Châu", "Đà Nẵng"),
    ("thị trấn Lim", "huyện Tiên Du", "tỉnh Bắc Ninh"),
    ("xã Hòa Sơn", "huyện Hòa Vang", "TP Đà Nẵng"),
    ("Phường Xuân Khánh", "Quận Ninh Kiều", "Cần Thơ"),
    ("P Phú Hội", "TP Huế", "Thừa Thiên Huế"),
    ("xã Ia Sao", "huyện Ia Grai", "Gia Lai"),
    ("phường Trần Phú", "TP Hà Giang", "Hà Giang"),
    ("Xã Nghĩa Hành", "Huyện Tân Kỳ", "Nghệ An"),
    ("phường 5", "thành phố Vũng Tàu", "Bà Rịa - Vũng Tàu"),
    ("xã Bình Mỹ", "thị xã Tân Uyên", "Bình Dương"),
]
_NEW = [
    ("phường Sài Gòn", "TP. Hồ Chí Minh"),
    ("Phường Cửa Nam", "Hà Nội"),
    ("xã Bát Tràng", "thành phố Hà Nội"),
    ("phường An Khê", "Đà Nẵng"),
    ("Phường Buôn Ma Thuột", "tỉnh Đắk Lắk"),
    ("xã Mường Lay", "Điện Biên"),
    ("đặc khu Phú Quốc", "An Giang"),
    ("P. Ninh Kiều", "Cần Thơ"),
    ("phường Hạ Long", "Quảng Ninh"),
    ("xã Đồng Văn", "Tuyên Quang"),
]
_GSO = "01,02,04,06,08,10,11,12,14,15,17,19,20,22,24,25,26,27,30,31,33,34,35,36,37,38,40,42,44,45,46,48,49,51,52,54,56,58,60,62,64,66,67,68,70,72,74,75,77,79,80,82,83,84,86,87,89,91,92,93,94,95,96".split(
    ","
)
_MARKS = str.maketrans(
    "àáạảãâầấậẩẫăằắặẳẵèéẹẻẽêềếệểễìíịỉĩòóọỏõôồốộổỗơờớợởỡùúụủũưừứựửữỳýỵỷỹđÀÁẠẢÃÂẦẤẬẨẪĂẰẮẶẲẴÈÉẸẺẼÊỀẾỆỂỄÌÍỊỈĨÒÓỌỎÕÔỒỐỘỔỖƠỜỚỢỞỠÙÚỤỦŨƯỪỨỰỬỮỲÝỴỶỸĐ",
    "aaaaaaaaaaaaaaaaaeeeeeeeeeeeiiiiiooooooooooooooooouuuuuuuuuuuyyyyydAAAAAAAAAAAAAAAAAEEEEEEEEEEEIIIIIOOOOOOOOOOOOOOOOOUUUUUUUUUUUYYYYYD",
)


def plain(text: str) -> str:
    """Without diacritics, by a table of its own."""
    return text.translate(_MARKS)


def person(r: random.Random) -> str:
    woman = r.random() < 0.5
    between = r.choice(_DEM_NU if woman else _DEM_NAM)
    given = r.choice(_TEN_NU if woman else _TEN_NAM)
    extra = f" {r.choice(_TEN_NU if woman else _TEN_NAM)}" if r.random() < 0.25 else ""
    return f"{r.choice(_HO)} {between}{extra} {given}" if r.random() < 0.95 else f"{r.choice(_HO)} {given}"


def mobile(r: random.Random) -> str:
    return "0" + r.choice("35789") + r.choice("23456789") + "".join(r.choices(string.digits, k=7))


def citizen(r: random.Random) -> str:
    year = r.choice([*range(1935, 2000), *range(2000, 2012)])
    return f"0{r.choice(_GSO)}{(year // 100 - 19) * 2 + r.randint(0, 1)}{year % 100:02d}{r.randint(1, 99999):06d}"


def tax(r: random.Random) -> str:
    while True:
        head = [int(c) for c in r.choice(_GSO[:40])] + [r.randint(0, 9) for _ in range(7)]
        rest = sum(a * b for a, b in zip(head, [31, 29, 23, 19, 17, 13, 7, 5, 3], strict=True)) % 11
        if rest:
            return "".join(map(str, [*head, 10 - rest]))


def card(r: random.Random) -> str:
    digits = [int(c) for c in r.choice(["970418", "970432", "970407", "453618", "512824", "222300", "421398"])]
    digits += [r.randint(0, 9) for _ in range(15 - len(digits))]
    doubled = [d if (15 - i) % 2 == 0 else (2 * d - 9 if d > 4 else 2 * d) for i, d in enumerate(digits)]
    return "".join(map(str, [*digits, (10 - sum(doubled) % 10) % 10]))


def mailbox(r: random.Random) -> str:
    *first, last = plain(person(r)).lower().split()
    user = r.choice(
        [
            f"{last}.{first[0]}",
            f"{last}{''.join(w[0] for w in first)}{r.randint(1, 99)}",
            f"{first[0]}{last}_{r.randint(80, 99)}",
            f"{last}-{first[0]}",
        ]
    )
    return f"{user}@{r.choice(['gmail.com', 'vnu.edu.vn', 'fpt.com.vn', 'hotmail.com', 'icloud.com', 'bidv.com.vn', 'hcmc.gov.vn', 'zoho.eu'])}"


def road(r: random.Random) -> str:
    number = r.choice(
        [
            f"{r.randint(1, 500)}",
            f"{r.randint(1, 300)}{r.choice('ABC')}",
            f"{r.randint(1, 200)}/{r.randint(1, 60)}",
            f"K{r.randint(1, 200)}/{r.randint(1, 40)}",
            f"Số {r.randint(1, 99)}",
            f"Lô {r.choice('ABCD')}{r.randint(1, 30)}",
            f"Số nhà {r.randint(1, 99)}, ngách {r.randint(1, 60)}/{r.randint(1, 20)},",
        ]
    )
    return f"{number} {r.choice(['', '', 'đường ', 'phố '])}{r.choice(_ROADS)}".replace(",,", ",")


def home(r: random.Random) -> str:
    if r.random() < 0.25:
        place = r.choice(
            [
                f"Thôn {r.choice(['Đoài', 'Trung', 'Hạ', 'Thượng', '4'])}",
                f"Xóm {r.randint(1, 9)}",
                f"Ấp {r.choice(['3', 'Thạnh Lợi', 'Mỹ Hòa'])}",
                f"Tổ dân phố số {r.randint(1, 9)}",
                f"KP{r.randint(1, 9)}",
                f"Khu phố {r.randint(1, 9)}",
                f"Bản {r.choice(['Hin', 'Lác', 'Pa Cốp'])}",
            ]
        )
    else:
        place = road(r)
    rest = r.choice(_OLD) if r.random() < 0.6 else r.choice(_NEW)
    return f"{r.choice([', ', ', ', ' - '])}".join([place, *rest])


def plate(r: random.Random) -> str:
    head = r.choice(
        "11 12 14 17 18 19 21 22 24 25 27 28 29 30 33 34 35 38 41 47 48 49 50 52 53 54 62 63 64 66 67 68 69 70 71 73 74 75 76 77 78 79 81 82 83 84 85 86 90 92 93 94 95 97".split()
    )
    if r.random() < 0.4:
        return f"{head}{r.choice('BCDFHKLM')}{r.randint(1, 9)}-{r.randint(0, 99999):05d}"
    return (
        f"{head}{r.choice('ABCDH')}-{r.randint(0, 99999):05d}"
        if r.random() < 0.6
        else f"{head}{r.choice('AC')} {r.randint(1000, 9999)}"
    )


def born(r: random.Random) -> datetime.date:
    return datetime.date(1930, 1, 1) + datetime.timedelta(days=r.randint(0, 34_000))


def written(r: random.Random, day: datetime.date, style: int) -> str:
    return [
        f"{day:%d/%m/%Y}",
        f"{day:%Y-%m-%d}",
        f"{day.day}/{day.month}/{day.year}",
        f"{day:%d-%m-%Y}",
        f"{day:%Y%m%d}",
        f"{day:%Y-%m-%d} 00:00:00",
        f"{day.day}.{day.month}.{day.year}",
        f"ngày {day.day} tháng {day.month} năm {day.year}",
    ][style]


def place(r: random.Random) -> str:
    lat, lon = r.uniform(8.7, 23.1), r.uniform(103, 109)
    return r.choice(
        [f"{lat:.6f},{lon:.6f}", f"({lat:.5f}, {lon:.5f})", f"{lat:.4f} {lon:.4f}", f"{lon:.6f}, {lat:.6f}"]
    )


def columns(seed: int) -> Iterator[Labelled]:
    """Some two hundred columns, the same for a seed."""
    from bench.pii.held_out_tables import others, tables, texts

    r = random.Random(seed * 7919 + 13)
    for _ in range(2):
        yield from tables(r)
        yield from others(r)
        yield from texts(r)
