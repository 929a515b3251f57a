"""Writes a SYNTHETIC survey of incomes: nobody in it exists. Same seed, same file.

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

ROWS = 20_000
SEED = 20_260_501
VILLAGES_A_PROVINCE = 40
_LARGE = {"Thành phố Hồ Chí Minh": 5.0, "Thành phố Hà Nội": 4.0, "Thành phố Đà Nẵng": 2.0, "Đồng Nai": 2.0}


def main(arguments: list[str]) -> int:
    """0, or 2 without a file to write to."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    rows = int(arguments[1]) if len(arguments) > 1 else ROWS
    csv.write_csv(table(rows), Path(arguments[0]))
    return 0


def table(rows: int) -> pa.Table:
    """The survey, one row a person."""
    random = default_rng(SEED)
    names = [province.name for province in Province.iter_all()]
    weights = np.array([_LARGE.get(name, 1.0) for name in names])
    province = random.choice(len(names), rows, p=weights / weights.sum())
    # Few villages have most people, so that some are large enough to be shown and most are not.
    village = np.minimum(random.geometric(0.12, rows), VILLAGES_A_PROVINCE)
    age = np.clip(random.gamma(6, 6.5, rows) + 15, 15, 99).astype(np.int64)
    income = np.exp(random.normal(2.1, 0.6, rows)) * np.sqrt(weights[province]) * np.where(age > 62, 0.5, 1.0)
    places = zip(province.tolist(), village.tolist(), strict=True)
    return pa.table(
        {
            "ma_phieu": _text([f"KS{number:08d}" for number in random.permutation(rows * 4)[:rows].tolist()]),
            "tinh": _text([names[place] for place in province.tolist()]),
            "xa": _text([f"{names[p]}, xã {v:02d}" for p, v in places]),
            "gioi_tinh": _choice(random, {"nam": 0.49, "nữ": 0.51}, rows),
            "tuoi": pa.array(age),
            "thu_nhap": pa.array(np.round(income, 2)),
            "co_bao_hiem": _choice(random, {"có": 0.86, "không": 0.14}, rows),
            "dong_y_nghien_cuu": _choice(random, {"có": 0.92, "không": 0.08}, rows),
            "dong_y_dich_vu_cong": _choice(random, {"có": 0.8, "không": 0.2}, rows),
        }
    )


def _choice(random: Generator, shares: dict[str, float], rows: int) -> pa.Array:
    codes = random.choice(len(shares), rows, p=list(shares.values()))
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), list(shares)).dictionary_decode()


def _text(values: list[str]) -> pa.Array:
    return pa.array(values, pa.string())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
