"""Publication: how fast a file becomes a measured version, beside DuckDB reading, sorting, writing the same."""

from __future__ import annotations

import asyncio
import hmac
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from bench.figure import figure
from catalog.limits import IngestLimits
from catalog.publish import Publication, publish
from catalog.storage import Store

EXAMPLES = Path(__file__).parents[1] / "examples"
ROWS = 2_000_000
FIND = 2_000


async def figures() -> list[dict[str, Any]]:
    """Seconds for the shipped datasets, rows a second for two million, revision and look-up times."""
    with tempfile.TemporaryDirectory(prefix="sandulieu-bench-") as folder:
        return await asyncio.to_thread(_figures, Path(folder))


def _figures(folder: Path) -> list[dict[str, Any]]:
    store = Store(folder / "store")
    small, large = _register(folder, 200_000), _register(folder, ROWS)
    adult_s, adult = _timed(lambda: _publish(store, "adult", EXAMPLES / "adult" / "adult.csv.gz"))
    small_s, first = _timed(lambda: _publish(store, "giay_phep_lai_xe", small))
    next_small_s, _ = _timed(lambda: _publish(store, "giay_phep_lai_xe", _churned(small), first))
    large_s, licences = _timed(lambda: _publish(store, "giay_phep_lai_xe", large))
    next_large_s, _ = _timed(lambda: _publish(store, "giay_phep_lai_xe", _churned(large), licences))
    plain_s, _ = _timed(lambda: _plain(large, folder))
    revision_ms = 1000 * _timed(lambda: _revision(store, adult, {7}))[0]
    again_ms = 1000 * _timed(lambda: _revision(store, adult, {7}))[0]
    find_s, _ = _timed(lambda: [store.cohort_of(licences.version.id, i.to_bytes(16, "big")) for i in range(FIND)])
    return [
        figure("catalog: publish adult (32,561 rows)", adult_s, "s", n=1),
        figure("catalog: publish 200,000 rows", small_s, "s", n=1, goal=2.0),
        figure(
            f"catalog: publish {ROWS:,} rows, rate", ROWS / large_s, "rows/s", n=1, goal=300_000, better="higher"
        ),
        figure(
            f"catalog: publish {ROWS:,} rows, DuckDB csv to sorted Parquet", large_s, "s", n=1, baseline=plain_s
        ),
        figure("catalog: next version of 200,000 rows, 1% changed", next_small_s, "s", n=1, baseline=small_s),
        figure(f"catalog: next version of {ROWS:,} rows, 1% changed", next_large_s, "s", n=1, baseline=large_s),
        figure("catalog: share at the fine level, adult", adult.version.fine_share, "share", n=1, better="higher"),
        figure("catalog: first revision after a withdrawal, adult", revision_ms, "ms", n=1),
        figure("catalog: the same revision again", again_ms, "ms", n=1, goal=5.0),
        figure("catalog: cohort of a person", 1e6 * find_s / FIND, "µs", n=FIND, goal=50.0),
    ]


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def _register(folder: Path, rows: int) -> Path:
    file = folder / f"{rows}.csv"
    script = EXAMPLES / "giay_phep_lai_xe" / "generate.py"
    subprocess.run([sys.executable, str(script), str(file), str(rows)], check=True)
    return file


def _churned(source: Path) -> Path:
    """The file without every hundredth person."""
    target = source.with_suffix(".next.csv")
    with source.open(encoding="utf-8") as lines, target.open("w", encoding="utf-8") as file:
        file.writelines(line for number, line in enumerate(lines) if number % 100 or number == 0)
    return target


def _publish(store: Store, slug: str, source: Path, before: Publication | None = None) -> Publication:
    text = (EXAMPLES / slug / "manifest.yaml").read_text(encoding="utf-8")
    return publish(
        text,
        source,
        store=store,
        pseudonymise=_pseudonymise,
        consents=None,
        previous=before.version.id if before else None,
        limits=IngestLimits(),
    )


def _pseudonymise(subjects: Sequence[str]) -> list[bytes]:
    return [hmac.digest(b"bench", s.encode(), "sha256")[:16] for s in subjects]


def _revision(store: Store, publication: Publication, excluded: set[int]) -> None:
    store.revision(publication.version.id, purpose=None, excluded=frozenset(excluded), number=len(excluded))


def _plain(source: Path, folder: Path) -> None:
    target = folder / "plain.parquet"
    duckdb.execute(
        f"copy (from read_csv('{source}') order by tinh, tuoi, gioi_tinh, hang, nam_cap) "
        f"to '{target}' (format parquet, compression zstd)"
    )
