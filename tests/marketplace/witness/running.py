"""A witness in a process of its own, and what a log says to it."""

from __future__ import annotations

import base64
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from marketplace.audit import tree
from marketplace.verifier.note import COSIGNATURE, VerifierKey, parse_key
from tests.marketplace.verifier.material import Made

NAME = "witness.example/w1"
COMMAND = """
import argparse, sys
from marketplace.cli.command_line import give_words
from marketplace.cli.witness import add_verb
parser = argparse.ArgumentParser()
add_verb(parser.add_subparsers())
give_words(parser, "audit")
chosen = parser.parse_args()
sys.exit(chosen.func(chosen))
"""
"""As `sandulieu audit` runs it, without the time that all other verbs take to import."""


@dataclass(frozen=True)
class Running:
    process: subprocess.Popen[str]
    key: VerifierKey
    url: str

    def post(self, body: bytes, path: str = "/add-checkpoint") -> tuple[int, str, str]:
        """Status, text, media type. Raises OSError, HTTPException where the witness died."""
        return self._ask("POST", path, body)

    def get(self, path: str) -> tuple[int, str, str]:
        return self._ask("GET", path, None)

    def _ask(self, method: str, path: str, body: bytes | None) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=30)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers["Content-Type"]
        finally:
            connection.close()


def begin(memory: Path, log: VerifierKey, *, before: str = "") -> subprocess.Popen[str]:
    """`before`: Python that runs first in the witness's process."""
    arguments = ["witness", "--memory", memory, "--name", NAME, "--log", log, "--port", 0, "--json"]
    command = [sys.executable, "-c", f"{before}\n{COMMAND}", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@contextmanager
def witness(memory: Path, log: VerifierKey, *, before: str = "") -> Iterator[Running]:
    with begin(memory, log, before=before) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        yield Running(process, parse_key(told["key"], COSIGNATURE), told["url"])
        process.terminate()


def request(log: Made, old: int, size: int) -> bytes:
    """add-checkpoint's body, with the proof that the log can give."""
    hashes = tree.prove(tree.consistency_ranges(old, size), log.nodes.__getitem__) if old else []
    lines = [f"old {old}", *(base64.b64encode(each).decode() for each in hashes), "", log.checkpoint(size)]
    return "\n".join(lines).encode()
