"""Runs every benchmark (or those named), prints a table, writes `bench/results.json`."""

from __future__ import annotations

import asyncio
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

MODULES = (
    "policies",
    "facts",
    "plan",
    "jail",
    "scan",
    "catalog",
    "ingest",
    "risk",
    "optimise",
    "detect",
    "quality",
    "registers",
    "revisions",
    "consents",
    "ledger",
    "settle",
    "close",
    "invoices",
    "audit",
    "sequencer",
    "verifier",
    "regulator",
    "relevance",
    "search",
    "service",
    "release",
    "fairness",
)
RESULTS = Path(__file__).parent / "results.json"


def main(names: list[str]) -> int:
    """0 when every goal is met, 1 otherwise (a goal missed is told, not hidden), 2 for a name that is none."""
    if unknown := sorted(set(names) - set(MODULES)):
        print(f"no benchmark {', '.join(unknown)}: one or more of {' '.join(MODULES)}", file=sys.stderr)
        return 2
    figures: list[dict[str, Any]] = []
    for name in names or MODULES:
        print(f"… {name}", file=sys.stderr, flush=True)
        figures += asyncio.run(import_module(f"bench.{name}").figures())
    RESULTS.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    missed = [f for f in figures if not met(f)]
    for one in figures:
        print(line(one))
    print(f"{len(figures) - len(missed)} of {len(figures)} goals met → {RESULTS}")
    return 1 if missed else 0


def met(one: dict[str, Any]) -> bool:
    """Whether the figure reaches its goal; none set counts as reached."""
    if one["goal"] is None:
        return True
    seen = one["ratio"] if one["ratio"] is not None else one["value"]
    return bool(seen <= one["goal"] if one["better"] == "lower" else seen >= one["goal"])


def line(one: dict[str, Any]) -> str:
    """name, value, baseline, ratio, goal."""
    baseline = "" if one["baseline"] is None else f"baseline {one['baseline']:,.3f}"
    if one["ratio"] is not None:
        baseline += f"  ratio {one['ratio']:.2f}"
    goal = "" if one["goal"] is None else f"goal {'≤' if one['better'] == 'lower' else '≥'} {one['goal']:g}"
    sign = "✓" if met(one) else "✗"
    return f"{sign} {one['name']:<58} {one['value']:>12,.3f} {one['unit']:<10} {baseline:<36} {goal}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
