"""`sandulieu demo registers`: five synthetic registers of one population, up to national size."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from catalog.registers.registers import REGISTERS
from catalog.registers.writing import SEED, Written, write_registers
from marketplace.config import load


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """registers, below demo."""
    registers = subparsers.add_parser("registers")
    registers.add_argument("--scale", type=_scale, default=0.01)
    registers.add_argument("--out", type=Path)
    registers.add_argument("--only", choices=[r.name for r in REGISTERS], action="append", default=[])
    registers.add_argument("--seed", type=int, default=SEED)
    registers.set_defaults(func=run)


def run(chosen: argparse.Namespace) -> int:
    """Write them, and say where each is."""
    folder = chosen.out or load().home / "registers"
    done: list[Written] = []
    for written in write_registers(folder, scale=chosen.scale, seed=chosen.seed, names=tuple(chosen.only)):
        done.append(written)
        if not chosen.json:
            print(_line(written), flush=True)
    if chosen.json:
        told = {"seed": chosen.seed, "scale": chosen.scale, "registers": done}
        print(msgspec.json.encode(told, enc_hook=str).decode())
    return 0


def _line(written: Written) -> str:
    wrong = ", ".join(f"{kind} {count:,}" for kind, count in written.errors.items())
    return f"✓ {written.name}: {written.rows:,} dòng/rows; lỗi cài sẵn/planted errors: {wrong}\n  {written.folder}"


def _scale(text: str) -> float:
    scale = float(text)
    if not 0 < scale <= 1:
        raise argparse.ArgumentTypeError("0 < scale ≤ 1")
    return scale
