"""Honest answers with a few bytes changed, read as the broker reads what a jail wrote: `python -m … SEED COUNT`.

In a process of its own, for the fault looked for is one that ends its reader. One seed makes the same answers.
"""

from __future__ import annotations

import datetime
import decimal
import io
import random
import struct
import sys
from typing import Any

import pyarrow as pa

from sandbox.isolation.answer import arrow_type, copy_answer
from sandbox.job import Limits, OutputColumn, SandboxFailed

_TYPES = (
    "BOOLEAN", "BIGINT", "HUGEINT", "DOUBLE", "DECIMAL(10,2)", "VARCHAR", "DATE", "TIME", "TIMESTAMP", "BOOLEAN[]",
    "DOUBLE[]", "DECIMAL(10,2)[]", "VARCHAR[]", "TIMESTAMP[]", "BIGINT[][]", "VARCHAR[][]",
)  # fmt: skip
_NUMBERS = (0, 1, 2, 8, 64, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 1 << 20, 1 << 30, 0x7FFFFFFF, 1 << 31, 0xFFFFFFFF)
"""Where lengths, offsets and types of messages turn over."""
_LIMITS = Limits(max_rows=1_000, max_bytes=1 << 20)
_HONEST = 60
Answer = tuple[tuple[OutputColumn, ...], bytes]


def main(seed: int, count: int) -> None:
    """Read so many; an error other than a refusal is raised, and what ends the process ends it."""
    chance = random.Random(seed)
    honest = [_honest(chance) for _ in range(_HONEST)]
    let_through = 0
    for _ in range(count):
        columns, data = chance.choice(honest)
        changed = bytearray(data)
        for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
            _change(changed, chance)
        try:
            copy_answer(bytes(changed), columns, _LIMITS, io.BytesIO())
        except SandboxFailed:
            continue
        let_through += 1
    print(f"{count} answers, {let_through} of them valid in spite of it")


def _honest(chance: random.Random) -> Answer:
    types = [chance.choice(_TYPES) for _ in range(chance.choice((1, 1, 2, 3)))]
    rows, nulls = chance.choice((0, 1, 5, 20)), chance.random() < 0.5
    arrays = [
        pa.array([None if nulls and chance.random() < 0.3 else _value(each, i) for i in range(rows)],
                 arrow_type(each))
        for each in types
    ]  # fmt: skip
    columns = tuple(OutputColumn(name=f"c{i}", type=each) for i, each in enumerate(types))
    batch = pa.record_batch(arrays, names=[column.name for column in columns])
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, batch.schema) as writer:
        writer.write_batch(batch)
    return columns, stream.getvalue()


def _value(type_: str, i: int) -> Any:
    if type_.endswith("[]"):
        return [_value(type_[:-2], i + j) for j in range(i % 3)]
    return {
        "BOOLEAN": i % 2 == 0, "BIGINT": i, "DOUBLE": i / 3, "VARCHAR": "xé" * (i % 5),
        "DATE": datetime.date(2020, 1, 1), "TIMESTAMP": datetime.datetime(2020, 1, 1),
        "TIME": datetime.time(i % 24),
    }.get(type_, decimal.Decimal(i))  # fmt: skip


def _change(data: bytearray, chance: random.Random) -> None:
    """A byte, a number of four or eight, a bit; or what follows is cut off or moved."""
    place = chance.randrange(len(data) - 8)
    match chance.choice(("byte", "four", "four", "eight", "eight", "bit", "cut", "move")):
        case "byte":
            data[place] = chance.randrange(256)
        case "four":
            struct.pack_into("<I", data, place & ~3, chance.choice(_NUMBERS))
        case "eight":
            struct.pack_into("<Q", data, place & ~7, chance.choice((*_NUMBERS, chance.getrandbits(64))))
        case "bit":
            data[place] ^= 1 << chance.randrange(8)
        case "cut":
            del data[max(place, 16) :]
        case "move":
            data[place:place] = bytes(chance.randrange(8))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
