"""`sandulieu catalog optimise`: schemes that hold the promise, and a manifest with the one that was chosen."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from catalog.anonymise.frontier import Frontier, Node
from catalog.anonymise.optimise import optimise
from catalog.anonymise.plot import plot
from catalog.anonymise.write import with_scheme
from catalog.transforms import describe
from marketplace.cli.telling import read_pair, tell_manifest
from marketplace.jailed import told_as
from marketplace.listings.errors import ManifestWrong, VersionRefused
from marketplace.listings.parsing import parse_manifest


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """catalog optimise."""
    parser = verbs.add_parser("optimise")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("manifest", type=Path, metavar="MANIFEST")
    parser.add_argument("--choose", type=int, metavar="N")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg")
    parser.add_argument("--measure", choices=["ncp", "discernibility"], default="ncp")
    parser.add_argument("--t", type=float, metavar="T")
    parser.add_argument("--seconds", type=float, default=40.0, metavar="S")
    parser.set_defaults(func=_optimise)


def _optimise(chosen: argparse.Namespace) -> int:
    text = read_pair(chosen.manifest, chosen.file)
    if text is None:
        return 2
    try:
        parse_manifest(text)
        with told_as(VersionRefused):
            frontier = optimise(
                chosen.file, text, measure=chosen.measure, t=chosen.t, budget_ms=round(1000 * chosen.seconds)
            )
    except ManifestWrong as wrong:
        return tell_manifest(wrong, chosen.manifest, as_json=chosen.json)
    if chosen.plot is not None:
        chosen.plot.write_text(plot(frontier), encoding="utf-8")
    if chosen.choose is not None and not 0 <= chosen.choose < len(frontier.nodes):
        print(f"--choose: 0 … {len(frontier.nodes) - 1}", file=sys.stderr)
        return 2
    if chosen.json:
        print(msgspec.json.encode(frontier).decode())
        return 0
    told = sys.stdout if chosen.choose is None else sys.stderr
    print(_summary(frontier), *(_line(i, n) for i, n in enumerate(frontier.nodes)), sep="\n", file=told)
    if chosen.choose is not None:
        print(with_scheme(text, frontier.nodes[chosen.choose]), end="")
        return 0
    for choice in frontier.nodes[0].choices:
        print(f"    {choice.column:<24} {' | '.join(map(describe, choice.levels))}")
    return 0


def _summary(frontier: Frontier) -> str:
    sure = "tối ưu/proven" if frontier.proven else f"không dưới/not below {frontier.bound:.4g}"
    return (
        f"{frontier.persons:,} người/persons, {frontier.classes:,} lớp mịn nhất/finest classes, "
        f"đã tính/counted {frontier.evaluated:,} cách/schemes · một mức/of one level {frontier.lattice:,}, "
        f"tốt nhất/the best loses {frontier.least:.4g} ({sure})"
    )


def _line(number: int, node: Node) -> str:
    t = "–" if node.t is None else f"{node.t:.3f}"
    return (
        f"{number:>3}  NCP {node.ncp:.4f}  DM {node.discernibility:.3e}  nguy cơ/risk {node.risk:.5f}  "
        f"k={node.k}  ℓ={node.l or '–'}  t={t}  chi tiết/fine {node.fine_share:.1%}  "
        f"loại ra/left out {node.left_out_share:.2%}"
    )
