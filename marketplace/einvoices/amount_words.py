"""An amount of đồng in Vietnamese words, as an invoice must say it (TgTTTBChu)."""

from __future__ import annotations

DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
GROUPS = ("", "nghìn", "triệu", "tỷ", "nghìn tỷ", "triệu tỷ")


def amount_in_words(amount_vnd: int) -> str:
    """Below zero it begins with "Âm". Raises ValueError from 10^18 on."""
    if abs(amount_vnd) >= 10 ** (3 * len(GROUPS)):
        raise ValueError(f"amount {amount_vnd}")
    if not amount_vnd:
        return "Không đồng"
    groups: list[int] = []
    left = abs(amount_vnd)
    while left:
        left, group = divmod(left, 1_000)
        groups.append(group)
    said = ["âm"] if amount_vnd < 0 else []
    for place in range(len(groups) - 1, -1, -1):
        if groups[place]:
            said += [*_group(groups[place], leading=place == len(groups) - 1), GROUPS[place]]
    words = " ".join(word for word in (*said, "đồng") if word)
    return words[0].upper() + words[1:]


def _group(value: int, *, leading: bool) -> list[str]:
    """Three digits; what stands first is not filled up with "không trăm"."""
    hundreds, rest = divmod(value, 100)
    tens, units = divmod(rest, 10)
    said = [] if leading and not hundreds else [DIGITS[hundreds], "trăm"]
    if not rest:
        return said
    if tens == 0:
        return [*said, *(["linh"] if said else []), DIGITS[units]]
    said += ["mười"] if tens == 1 else [DIGITS[tens], "mươi"]
    return [*said, _unit(units, tens)] if units else said


def _unit(units: int, tens: int) -> str:
    if units == 5:
        return "lăm"
    if units == 1 and tens > 1:
        return "mốt"
    return DIGITS[units]
