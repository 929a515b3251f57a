"""Kinds with a form of their own: which cells have the shape, which of them pass, how many would by chance."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Final

from msgspec import Struct

from catalog.pii import digits
from catalog.pii.contacts import could_be_phone, is_dialled, is_email, is_phone, written_home
from catalog.pii.kinds import Kind
from catalog.pii.times import is_place, is_told_place


class Form(Struct, frozen=True, kw_only=True):
    """`chance`: of cells with the shape that are something else, the share that passes the check; `weak`: believed
    without a header only where many cells spread over many prefixes."""

    kind: Kind
    shape: Callable[[str], bool]
    check: Callable[[str], bool]
    chance: float
    weak: bool = False
    near: Callable[[str], bool] | None = None
    """Enough for a cell, in a column whose header says the kind and that holds it."""
    bare: Callable[[str], str] = digits.bare
    """The number without what is only a way to write it."""
    credible: Callable[[Collection[str]], bool] | None = None
    """Whether what passed, as it is written, can be of the kind where no header says so."""
    prefix: int = 3
    """Leading signs by which genuine numbers spread and those of a counter do not."""


def _number(*lengths: int) -> Callable[[str], bool]:
    def shape(cell: str) -> bool:
        text = digits.bare(cell)
        if len(text) not in lengths or not (text.isascii() and text.isdigit()):
            return False
        decimal = cell.startswith("-") or (cell.rstrip(".").count(".") == 1 and " " not in cell)
        return not decimal and not digits.is_internet(cell)

    return shape


def _phone_shape(cell: str) -> bool:
    text = re.sub(r"[()/]", "", digits.bare(cell)).lstrip("+")
    return text.isascii() and text.isdigit() and 9 <= len(text) <= 13 and (
        text[0] == "0" or text.startswith("84") or len(text) == 9
    )  # fmt: skip


def _dialled_shape(cell: str) -> bool:
    """With what is dialled first: nine digits alone are any code's."""
    return _phone_shape(cell) and (cell.lstrip("('+").startswith(("0", "84")))


def _dialled(cells: Collection[str]) -> bool:
    """Nine digits without what is dialled first are telephone numbers only where they begin in several ways:
    those of accounts and customers begin in one."""
    bare = [text for cell in cells if len(text := digits.bare(cell)) == 9]
    return 2 * len(bare) < len(cells) or len({text[0] for text in bare}) > 2


def _from_abroad(cell: str) -> bool:
    """With the country's code, as nobody writes another number."""
    return re.match(r"\(?(?:\+|00)84", cell) is not None


def _tax_shape(cell: str) -> bool:
    text = cell.strip()
    return _number(10)(text) or (_number(13)(text) and (text[-4] == "-" or text.isdigit()))


def _card_shape(cell: str) -> bool:
    return _number(13, 15, 16, 19)(cell)


def _mixed(least: int, most: int) -> Callable[[str], bool]:
    def shape(cell: str) -> bool:
        text = digits.bare(cell)
        if not least <= len(text) <= most or not text.isalnum() or text.isdigit() or text.isalpha():
            return False
        return any(map(str.isdigit, text))

    return shape


_WRITTEN_PLATE: Final = re.compile(r"\d{2}\s?-?\s?[A-Z][A-Z1-9]?[\s-]{1,3}\d{3}\.\d{2}")


def _plate_shape(cell: str) -> bool:
    """With its dot, as nobody writes another number."""
    return _WRITTEN_PLATE.fullmatch(cell.strip().upper()) is not None


def _national_card_shape(cell: str) -> bool:
    return _number(16, 19)(cell) and digits.bare(cell).startswith("9704")


def _called_from_abroad(cell: str) -> bool:
    return _number(11)(cell) and digits.bare(cell).startswith("84")


def _pair_shape(cell: str) -> bool:
    return len(cell) > 8 and any(sign in cell for sign in ".°,;") and sum(map(str.isdigit, cell)) > 7


def _insurance(cell: str) -> bool:
    return digits.is_health_card(cell) or digits.is_social_insurance(cell)


def _health_card_shape(cell: str) -> bool:
    return len(digits.bare(cell)) == 15 and digits.bare(cell)[:2].isalpha()


def _insurance_shape(cell: str) -> bool:
    return _number(10)(cell) or _health_card_shape(cell)


def forms(year: int) -> tuple[Form, ...]:
    """In the order in which a cell that passes several is given to one, if nothing else decides."""

    def is_citizen(cell: str) -> bool:
        return digits.is_citizen_id(cell, year=year)

    def could_be_citizen(cell: str) -> bool:
        return digits.could_be_citizen_id(cell, year=year)

    return (
        Form(kind="email", shape=lambda cell: "@" in cell, check=is_email, chance=0.2),
        Form(kind="bank_card", shape=_card_shape, check=digits.is_bank_card, chance=0.06,
             near=digits.could_be_card),
        Form(kind="bank_card", shape=_national_card_shape, check=digits.is_bank_card, chance=0.001),
        Form(kind="citizen_id", shape=_number(11, 12), check=is_citizen, chance=0.05,
             near=could_be_citizen),
        Form(kind="phone", shape=_phone_shape, check=is_phone, chance=0.45, bare=written_home, near=is_dialled,
             credible=_dialled),
        Form(kind="phone", shape=_dialled_shape, check=could_be_phone, chance=0.5, weak=True, bare=written_home),
        Form(kind="phone", shape=_from_abroad, check=is_dialled, chance=0.001, bare=written_home),
        Form(kind="phone", shape=_called_from_abroad, check=is_phone, chance=0.03, bare=written_home),
        Form(kind="tax_code", shape=_tax_shape, check=digits.is_tax_code, chance=0.1, prefix=4),
        Form(kind="plate", shape=_mixed(6, 10), check=digits.is_plate, chance=0.3, prefix=2,
             near=digits.could_be_plate),
        Form(kind="plate", shape=_plate_shape, check=digits.is_plate, chance=0.001, prefix=2),
        Form(kind="social_insurance", shape=_health_card_shape, check=digits.is_health_card, chance=0.03,
             prefix=5),
        Form(kind="social_insurance", shape=_insurance_shape, check=_insurance, chance=0.63, weak=True, prefix=2),
        Form(kind="old_citizen_id", shape=_number(9), check=digits.is_old_citizen_id, chance=0.38, weak=True,
             prefix=2, near=digits.could_be_old_citizen_id),
        Form(kind="passport", shape=_mixed(8, 9), check=digits.is_passport, chance=0.3, weak=True, prefix=1,
             near=digits.could_be_passport),
        Form(kind="coordinates", shape=_pair_shape, check=is_place, chance=0.02, prefix=2,
             near=is_told_place),
    )  # fmt: skip


PASSPORT_LETTERS: Final = frozenset("BCNPEKSD")
"""Series that have been given out; a code of wares has any letter."""
NEW_PASSPORT: Final = re.compile(r"[Pp]0\d{7}")
"""Since 2022, of which no more than the first ten million have been given out."""
