"""Writes a SYNTHETIC register of driving licences: nobody in it exists. Same seed, same file.

python generate.py OUT.csv [ROWS]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.random import Generator, default_rng
from pyarrow import csv
from vietnam_provinces import Province

ROWS = 200_000
SEED = 20_260_101
_CLASSES = {"A1": 0.42, "A": 0.05, "B": 0.33, "C1": 0.06, "C": 0.08, "D2": 0.03, "D": 0.03}
_OFFENCES = {"không": 0.55, "tốc độ": 0.2, "đèn đỏ": 0.15, "nồng độ cồn": 0.1}
_CONSENT = {"dong_y_nghien_cuu": 0.9, "dong_y_dich_vu_cong": 0.8, "dong_y_san_pham": 0.35}
_LARGE = {"Thành phố Hồ Chí Minh": 5.0, "Thành phố Hà Nội": 4.0, "Đồng Nai": 2.0, "Thanh Hóa": 1.6, "Nghệ An": 1.5}
_TODAY = np.datetime64("2026-01-01")


def main(arguments: list[str]) -> int:
    """0, or 2 without a file to write to."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    rows = int(arguments[1]) if len(arguments) > 1 else ROWS
    csv.write_csv(table(rows), Path(arguments[0]))
    return 0


def table(rows: int) -> pa.Table:
    """The register, one row a person."""
    random = default_rng(SEED)
    names = [province.name for province in Province.iter_all()]
    weights = np.array([_LARGE.get(name, 1.0) for name in names])
    province = random.choice(len(names), rows, p=weights / weights.sum())
    age = np.clip(random.gamma(9, 4.2, rows) + 4, 18, 85)
    born = _TODAY - (age * 365.25).astype(np.int64) - random.integers(0, 20, rows)
    held = np.minimum(random.exponential(6, rows), age - 18)
    issued = _TODAY - (held * 365.25).astype(np.int64)
    offences = random.poisson(0.8, rows)
    columns = {
        "so_gplx": _keys(random, rows),
        "ho_ten": _text([f"Người giả {i % 9973:04d}" for i in range(rows)]),
        "ngay_sinh": pa.array(born.astype("datetime64[D]")),
        "tuoi": pa.array(age.astype(np.int64)),
        "gioi_tinh": _choice(random, {"nam": 0.56, "nữ": 0.44}, rows),
        "tinh": pa.DictionaryArray.from_arrays(pa.array(province, pa.int32()), names).dictionary_decode(),
        "hang": _choice(random, _CLASSES, rows),
        "ngay_cap": pa.array(issued.astype("datetime64[D]")),
        "nam_cap": pa.array(issued.astype("datetime64[Y]").astype(np.int64) + 1970),
        "vi_pham_gan_nhat": _choice(random, _OFFENCES, rows),
        "so_lan_vi_pham": pa.array(offences),
        "diem_con_lai": pa.array(np.maximum(12 - 2 * offences - random.integers(0, 2, rows), 0)),
    }
    for name, share in _CONSENT.items():
        columns[name] = _choice(random, {"có": share, "không": 1 - share}, rows)
    return pa.table(columns)


def _keys(random: Generator, rows: int) -> pa.Array:
    return _text([f"SYN{number:09d}" for number in random.permutation(rows * 4)[:rows].tolist()])


def _choice(random: Generator, shares: dict[str, float], rows: int) -> pa.Array:
    codes = random.choice(len(shares), rows, p=list(shares.values()))
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), list(shares)).dictionary_decode()


def _text(values: list[str]) -> pa.Array:
    return pa.array(values, pa.string())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
