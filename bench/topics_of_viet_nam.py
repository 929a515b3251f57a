"""What ministries and provinces of Viet Nam keep data about, in their own words."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class Topic(Struct, frozen=True):
    slug: str
    vi: str
    en: str
    ministry: str
    themes: tuple[str, ...]
    about: str
    about_en: str
    columns: tuple[tuple[str, str, str], ...]
    provincial: bool = True


MINISTRIES = {
    "congan": "Bộ Công an", "yte": "Bộ Y tế", "xaydung": "Bộ Xây dựng",
    "nongnghiep": "Bộ Nông nghiệp và Môi trường", "taichinh": "Bộ Tài chính", "noivu": "Bộ Nội vụ",
    "giaoduc": "Bộ Giáo dục và Đào tạo", "tuphap": "Bộ Tư pháp", "congthuong": "Bộ Công Thương",
    "vanhoa": "Bộ Văn hóa, Thể thao và Du lịch", "khoahoc": "Bộ Khoa học và Công nghệ",
    "nganhang": "Ngân hàng Nhà nước Việt Nam", "dantoc": "Bộ Dân tộc và Tôn giáo",
    "toaan": "Tòa án nhân dân tối cao", "ngoaigiao": "Bộ Ngoại giao",
}  # fmt: skip
PROVINCES_AS_WRITTEN = (
    "Hà Nội", "Huế", "Lai Châu", "Điện Biên", "Sơn La", "Lạng Sơn", "Quảng Ninh", "Thanh Hóa", "Nghệ An",
    "Hà Tĩnh", "Cao Bằng", "Tuyên Quang", "Lào Cai", "Thái Nguyên", "Phú Thọ", "Bắc Ninh", "Hưng Yên",
    "Hải Phòng", "Ninh Bình", "Quảng Trị", "Đà Nẵng", "Quảng Ngãi", "Gia Lai", "Khánh Hòa", "Lâm Đồng",
    "Đắk Lắk", "Hồ Chí Minh", "Đồng Nai", "Tây Ninh", "Cần Thơ", "Vĩnh Long", "Đồng Tháp", "Cà Mau",
    "An Giang", "Hải Dương", "Quảng Nam", "Bình Dương", "Vĩnh Phúc", "Nam Định", "Bến Tre", "Long An",
    "Kiên Giang", "Bình Thuận", "Thái Bình",
)  # fmt: skip


def _topic(row: str) -> Topic:
    slug, vi, en, ministry, themes, about, about_en, columns, *rest = row.split("|")
    named = tuple(tuple(each.split("=")) for each in columns.split(";"))
    return Topic(slug, vi, en, ministry, tuple(themes.split(",")), about, about_en, named, not rest)  # type: ignore[arg-type]


def read_topics(path: Path) -> tuple[Topic, ...]:
    """A line a topic, after one that names its fields."""
    return tuple(_topic(row) for row in path.read_text(encoding="utf-8").splitlines()[1:])


TOPICS = read_topics(Path(__file__).with_suffix(".txt"))
UNSEEN_TOPICS = read_topics(Path(__file__).with_name("unseen_of_viet_nam.txt"))
