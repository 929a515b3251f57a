"""`sandulieu audit witness`: cosigns checkpoints of other people's logs; needs no home, no database."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from marketplace.verifier.command import Unusable, read_key
from marketplace.witness.cosigning import Witness
from marketplace.witness.memory import Memory, MemoryTaken
from marketplace.witness.server import serve

OK, FAILED, USAGE = 0, 1, 2


def add_verb(verbs: Any) -> None:
    """audit witness."""
    parser: argparse.ArgumentParser = verbs.add_parser("witness")
    parser.add_argument("--memory", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--name", required=True)
    parser.add_argument("--log", action="append", required=True, metavar="KEY")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    parser.set_defaults(func=_run)


def _run(chosen: argparse.Namespace) -> int:
    """Until SIGTERM or SIGINT. First it tells its verifier key and where it listens."""
    try:
        logs = [read_key(each) for each in chosen.log]
        memory = Memory(chosen.memory)
        witness = Witness(chosen.name, memory, logs)
    except Unusable as wrong:
        print(wrong, file=sys.stderr)
        return USAGE
    except MemoryTaken as taken:
        print(f"{taken}: một nhân chứng khác đang chạy / another witness runs on this folder", file=sys.stderr)
        return FAILED

    def told(url: str) -> None:
        key = str(witness.key)
        print(json.dumps({"key": key, "url": url}) if chosen.json else f"{key} {url}", flush=True)

    serve(witness, chosen.host, chosen.port, told)
    return OK
