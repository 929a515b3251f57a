"""Runs in pyCANON's own environment: its figures of CSV files, as JSON.

python canon.py FILE.csv quasi,identifiers sensitive,attributes [FILE.csv …]
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import pandas
from pycanon import anonymity
from pycanon.anonymity import _l_diversity
from pycanon.metrics import max_rir


def main(arguments: list[str]) -> None:
    """Print a list: of each file its figures, and the seconds that each took."""
    # Its last step cuts the decimals off; with them there is more to compare.
    _l_diversity.int = float
    found = []
    while arguments:
        file, quasi, sensitive, *arguments = arguments
        found.append(figures(file, quasi.split(","), sensitive.split(",")))
    print(json.dumps(found, default=float))


def figures(file: str, quasi: list[str], sensitive: list[str]) -> dict[str, dict[str, Any]]:
    """Those of one file."""
    data = pandas.read_csv(file, keep_default_na=False)
    taken: dict[str, float] = {}

    def timed(name: str, *given: Any) -> Any:
        began = time.perf_counter()
        result = getattr(anonymity, name)(data, quasi, *given)
        taken[name] = time.perf_counter() - began
        return result

    c, l = timed("recursive_c_l_diversity", sensitive)
    told = {
        "k": timed("k_anonymity"),
        "alpha": timed("alpha_k_anonymity", sensitive)[0],
        "l": timed("l_diversity", sensitive),
        "l_of_recursive": l,
        "entropy_l": timed("entropy_l_diversity", sensitive),
        "rarest_first_c": c,
        "t": timed("t_closeness", sensitive),
        "beta": timed("basic_beta_likeness", sensitive),
        "enhanced_beta": timed("enhanced_beta_likeness", sensitive),
        "delta": timed("delta_disclosure", sensitive),
        "prosecutor_highest": max_rir(data, quasi),
    }
    return {"figures": told, "seconds": taken}


if __name__ == "__main__":
    main(sys.argv[1:])
