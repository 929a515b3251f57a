"""Judged questions: what somebody types, and what they mean; what each set is stands in the file beside."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from bench.listings_of_viet_nam import Made


class Judged(Struct, frozen=True):
    """`topics`: slug → grade of a listing on it. With a place, others of the topic are worth a third."""

    q: str
    topics: dict[str, int]
    place: str = ""

    def grade(self, made: Made) -> float:
        """3 what was meant, 2 and 1 what helps, 0 what does not."""
        grade = self.topics.get(made.topic, 0)
        if not self.place or not grade:
            return grade
        if made.place == self.place:
            return grade
        if now(made.place) == now(self.place) and made.place:
            return grade * 2 / 3
        return grade / 3 if not made.place else 0


_MERGED = {
    "Hải Dương": "Hải Phòng", "Quảng Nam": "Đà Nẵng", "Bình Dương": "Hồ Chí Minh", "Vĩnh Phúc": "Phú Thọ",
    "Nam Định": "Ninh Bình", "Bến Tre": "Vĩnh Long", "Long An": "Tây Ninh", "Kiên Giang": "An Giang",
    "Bình Thuận": "Lâm Đồng", "Thái Bình": "Hưng Yên", "Hòa Bình": "Phú Thọ", "Bắc Giang": "Bắc Ninh",
    "Vũng Tàu": "Hồ Chí Minh", "Bạc Liêu": "Cà Mau", "Yên Bái": "Lào Cai", "Phú Yên": "Đắk Lắk",
    "Hà Giang": "Tuyên Quang", "Quảng Bình": "Quảng Trị",
}  # fmt: skip


def now(place: str) -> str:
    """The province since July 2025."""
    return _MERGED.get(place, place)


def read_questions() -> dict[str, tuple[Judged, ...]]:
    """Of each set by its name: a line a question, `question | topic:grade … | place`."""
    sets: dict[str, list[Judged]] = {}
    for row in Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines():
        if row.startswith("## "):
            mine = sets.setdefault(row[3:].partition(":")[0], [])
        elif not row.startswith("#"):
            mine.append(_judged(row))
    return {name: tuple(questions) for name, questions in sets.items()}


def _judged(row: str) -> Judged:
    q, topics, *place = (part.strip() for part in row.split("|"))
    graded = {name: int(grade or 3) for name, _, grade in (each.partition(":") for each in topics.split())}
    return Judged(q, graded, place[0] if place else "")


QUESTIONS = read_questions()
