"""Our figures are pyCANON's, on Adult and three more public tables (those of statsmodels in the public domain)."""

from __future__ import annotations

import json
import math
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from catalog.risk.figures import Risk
from catalog.risk.measure import measure
from tests.catalog.conftest import EXAMPLES, LIMITS
from tests.policies.conftest import program

SCRIPT = Path(__file__).with_name("canon.py")
QUOTED = {"anes96": ", quote = ''''"}
PUBLIC = "lib/python*/site-packages/statsmodels/datasets/{0}/{0}.csv"
TABLES = {
    "adult": (["sex", "race"], ["salary-class"]),
    "adult, several": (["sex"], ["salary-class", "occupation", "education-num"]),
    "anes96": (["educ"], ["age", "vote"]),
    "modechoice": (["mode", "psize"], ["choice", "hinc"]),
    "randhie": (["idp", "hlthg", "hlthf"], ["mdvis"]),
}


@dataclass(frozen=True)
class Tables:
    """The same values as Parquet for us and as CSV for pyCANON, and what that says of them."""

    parquet: dict[str, Path]
    figures: dict[str, dict[str, float]]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    python, folder = program("pycanon") / "bin" / "python", tmp_path_factory.mktemp("canon")
    parquet: dict[str, Path] = {}
    asked: list[str | Path] = []
    for i, (name, (quasi, sensitive)) in enumerate(TABLES.items()):
        parquet[name], csv = folder / f"{i}.parquet", folder / f"{i}.csv"
        duckdb.execute(f"COPY (FROM {source(name, python)}) TO '{parquet[name]}'")
        duckdb.execute(f"COPY (FROM '{parquet[name]}') TO '{csv}' (HEADER)")
        asked += [csv, ",".join(quasi), ",".join(sensitive)]
    said = subprocess.run([python, SCRIPT, *asked], capture_output=True, text=True, check=True).stdout
    return Tables(parquet, dict(zip(TABLES, (one["figures"] for one in json.loads(said)), strict=True)))


def source(name: str, python: Path) -> str:
    if name.startswith("adult"):
        return f"'{EXAMPLES / 'adult' / 'adult.csv.gz'}'"
    (file,) = python.parents[1].glob(PUBLIC.format(name))
    return f"read_csv('{file}'{QUOTED.get(name, '')})"


def ours(risk: Risk) -> dict[str, Any]:
    """With what it chooses: distance along the order where there is one, the worst attribute."""
    assert risk.l is not None
    of = risk.sensitive
    return {
        "k": risk.k, "alpha": risk.alpha, "l": risk.l, "l_of_recursive": risk.l, "entropy_l": risk.entropy_l,
        "rarest_first_c": max((s.rarest_first_c for s in of if s.rarest_first_c is not None), default=math.nan),
        "t": max(s.t if s.t_ordered is None else s.t_ordered for s in of),
        "beta": max(s.beta for s in of), "enhanced_beta": max(s.enhanced_beta for s in of),
        "delta": max(s.delta for s in of), "prosecutor_highest": risk.prosecutor_highest,
    }  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_the_figures_are_those_of_pycanon(name: str, tables: Tables) -> None:
    quasi, sensitive = TABLES[name]
    found = ours(measure([tables.parquet[name]], quasi_identifiers=quasi, sensitive=sensitive, limits=LIMITS))
    assert found == pytest.approx(tables.figures[name], rel=0, abs=1e-9, nan_ok=True)
