"""Five registers of one population, at national size: what a row of each holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa
from msgspec import Struct

from catalog.registers.population import TODAY, Ints, Population, Shares

Columns = dict[str, pa.Array]
_OFFENCES: Final = {"không": 0.55, "tốc độ": 0.2, "đèn đỏ": 0.15, "nồng độ cồn": 0.1}
_LICENCES: Final = {"A1": 0.42, "A": 0.05, "B": 0.33, "C1": 0.06, "C": 0.08, "D2": 0.03, "D": 0.03}
_LAND: Final = {"đất ở": 0.43, "trồng lúa": 0.27, "cây lâu năm": 0.19, "rừng sản xuất": 0.08, "thương mại": 0.03}
_MARRIAGE: Final = {"kết hôn": 0.66, "độc thân": 0.23, "ly hôn": 0.04, "góa": 0.07}
_PEOPLES: Final = {"Kinh": 0.853, "Tày": 0.019, "Thái": 0.019, "Mường": 0.015, "Mông": 0.014, "khác": 0.08}
_INSURED: Final = {"hộ gia đình": 0.35, "lao động": 0.22, "học sinh": 0.2, "trẻ em": 0.13, "người nghèo": 0.1}
_PAID: Final = {"đang đóng": 0.86, "tạm dừng": 0.09, "nợ đóng": 0.05}
_ILLNESSES: Final = {
    "J06": 0.2, "I10": 0.16, "E11": 0.09, "K29": 0.12, "M54": 0.11, "N39": 0.07, "H10": 0.06, "S00": 0.05,
    "O80": 0.05, "B18": 0.04, "C34": 0.01, "F32": 0.02, "A15": 0.02,
}  # fmt: skip


class Register(Struct, frozen=True, kw_only=True):
    """`draw`: the columns of the rows `first` … of a register. `date`, `code` and `document` name the columns in
    which errors are planted. `rows` at scale 1."""

    name: str
    rows: int
    draw: Callable[[Population, int, int], Columns]
    date: str
    code: str
    document: str


def _who(population: Population, persons: Ints) -> Columns:
    return {
        "ma_so": population.keys(persons),
        "ho_ten": population.names(persons),
        "ngay_sinh": pa.array(population.born(persons)),
        "tuoi": pa.array(population.ages(persons)),
        "gioi_tinh": population.sexes(persons),
        "tinh": population.provinces(persons),
        **population.consents(persons),
    }


def _since(drawn: Shares, years: Shares | float) -> pa.Array:
    """A date that long ago at most, most of them lately."""
    return pa.array(TODAY - (drawn**2 * years * 365.2425).astype(np.int64))


def _office(population: Population, rows: Ints, salt: int) -> pa.Array:
    """Codes 1 … 34."""
    return pa.array(1 + (population.shares(rows, salt) ** 1.6 * 34).astype(np.int64))


def _few(drawn: Shares, mean: float) -> Ints:
    """Counts that fall off geometrically."""
    counts: Ints = np.floor(np.log1p(-drawn) / np.log(mean / (1 + mean))).astype(np.int64)
    return counts


def _licences(population: Population, first: int, count: int) -> Columns:
    persons = population.one_each(first, count, population.adults, 11)
    rows = np.arange(first, first + count)
    offences = _few(population.shares(persons, 111), 0.8)
    issued = _since(population.shares(persons, 112), np.minimum(25.0, population.ages(persons) - 17.5))
    return {
        **_who(population, persons),
        "so_gplx": population.documents("GPLX", rows),
        "hang": population.choice(persons, 113, _LICENCES),
        "ngay_cap": issued,
        "nam_cap": pa.array(issued.to_numpy(zero_copy_only=False).astype("datetime64[Y]").astype(np.int64) + 1970),
        "ma_noi_cap": _office(population, persons, 114),
        "vi_pham_gan_nhat": population.choice(persons, 115, _OFFENCES),
        "so_lan_vi_pham": pa.array(offences),
        "diem_con_lai": pa.array(np.maximum(12 - 2 * offences, 0)),
    }


def _land(population: Population, first: int, count: int) -> Columns:
    """Of adults; a few own many parcels."""
    rows = np.arange(first, first + count)
    persons = (population.shares(rows, 121) ** 1.5 * population.adults).astype(np.int64)
    size = np.exp(4.6 + 1.1 * np.sqrt(-2 * np.log1p(-population.shares(rows, 122))))
    return {
        **_who(population, persons),
        "so_thua": population.documents("TD", rows),
        "loai_dat": population.choice(rows, 123, _LAND),
        "dien_tich_m2": pa.array(np.round(size, 1)),
        "ngay_dang_ky": _since(population.shares(rows, 124), 30.0),
        "ma_noi_cap": _office(population, rows, 125),
    }


def _civil(population: Population, first: int, count: int) -> Columns:
    persons = population.one_each(first, count, population.persons, 13)
    rows = np.arange(first, first + count)
    of_age = persons < population.adults
    married = population.choice(persons, 131, _MARRIAGE).indices.to_numpy()
    status = pa.array(np.where(of_age, married, 1).astype(np.int32))
    children = np.where(of_age, _few(population.shares(persons, 132), 1.3), 0)
    return {
        **_who(population, persons),
        "so_khai_sinh": population.documents("KS", rows),
        "dan_toc": population.choice(persons, 133, _PEOPLES),
        "hon_nhan": pa.DictionaryArray.from_arrays(status, list(_MARRIAGE)),
        "so_con": pa.array(children),
        "ma_noi_dang_ky": _office(population, persons, 134),
    }


def _insurance(population: Population, first: int, count: int) -> Columns:
    persons = population.one_each(first, count, population.persons, 14)
    rows = np.arange(first, first + count)
    wage = 4_680_000 * np.exp(0.55 * np.sqrt(-2 * np.log1p(-population.shares(persons, 141))))
    return {
        **_who(population, persons),
        "so_the": population.documents("BH", rows),
        "doi_tuong": population.choice(persons, 142, _INSURED),
        "trang_thai": population.choice(persons, 143, _PAID),
        "muc_dong_vnd": pa.array((wage * 0.045).astype(np.int64) // 1000 * 1000),
        "so_nam_dong": pa.array((population.shares(persons, 144) ** 2 * 30).astype(np.int64)),
        "ngay_cap": _since(population.shares(persons, 145), 10.0),
        "ma_noi_cap": _office(population, persons, 146),
    }


def _health(population: Population, first: int, count: int) -> Columns:
    """Visits; a few persons come often."""
    rows = np.arange(first, first + count)
    persons = (population.shares(rows, 151) ** 2 * population.persons).astype(np.int64)
    cost = 180_000 * np.exp(1.2 * np.sqrt(-2 * np.log1p(-population.shares(rows, 152))))
    return {
        **_who(population, persons),
        "ma_luot": population.documents("KCB", rows),
        "ngay_kham": _since(population.shares(rows, 153), 3.0),
        "ma_benh": population.choice(rows, 154, _ILLNESSES),
        "chi_phi_vnd": pa.array(cost.astype(np.int64) // 1000 * 1000),
        "ma_co_so": _office(population, rows, 155),
    }


REGISTERS: Final = (
    Register(
        name="giay_phep_lai_xe", rows=35_100_000, draw=_licences, date="ngay_cap", code="ma_noi_cap",
        document="so_gplx",
    ),
    Register(
        name="thua_dat", rows=57_900_000, draw=_land, date="ngay_dang_ky", code="ma_noi_cap", document="so_thua"
    ),
    Register(
        name="ho_tich", rows=107_000_000, draw=_civil, date="ngay_sinh", code="ma_noi_dang_ky",
        document="so_khai_sinh",
    ),
    Register(
        name="bao_hiem", rows=100_000_000, draw=_insurance, date="ngay_cap", code="ma_noi_cap", document="so_the"
    ),
    Register(
        name="kham_chua_benh", rows=32_100_000, draw=_health, date="ngay_kham", code="ma_co_so", document="ma_luot"
    ),
)  # fmt: skip
