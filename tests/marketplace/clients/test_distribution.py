"""The client as its own distribution: built, put into an empty environment with pandas, and asked with."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.market import PURPOSE, SMALL_SQL, Market

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import sys
from importlib.metadata import requires
from sandulieu_client import connect
assert not [name for name in ("marketplace", "sandbox", "litestar") if name in sys.modules]
frame = connect().query(sys.argv[1], agreement=sys.argv[2], purpose=sys.argv[3]).to_pandas()
print(type(frame).__module__.split(".")[0], list(frame.columns), int(frame["n"].sum()))
"""


def test_it_is_installed_alone_and_gives_a_pandas_frame(market: Market) -> None:
    uv = shutil.which("uv") or str(ROOT / ".tools" / "uv" / "bin" / "uv")
    command = [
        uv, "run", "--quiet", "--no-project", "--python", "3.11", "--with",
        f"{ROOT / 'clients' / 'python'}[pandas]",
        "python", "-c", SCRIPT, SMALL_SQL, market.agreements["adult"], PURPOSE,
    ]  # fmt: skip
    environment = {"SANDULIEU_URL": market.url, "SANDULIEU_TOKEN": market.parties.tokens["startup"]}
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    if done.returncode and "sandulieu_client" not in done.stderr and not os.environ.get("CI"):
        pytest.skip(f"no environment of its own: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("pandas ['education', 'n'] ")
