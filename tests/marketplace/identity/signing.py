"""A provider in its own process, and what a browser does there."""

from __future__ import annotations

import contextlib
import html
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[3]
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def citizen(number: int) -> str:
    """The id of a citizen of the tests."""
    return f"0790{number:08}"


@contextlib.contextmanager
def provider(citizens: Path) -> Iterator[str]:
    """The issuer's address, as long as the block lasts."""
    command = [sys.executable, "-m", "tests.marketplace.identity.forger", str(citizens)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def choose(url: str, citizen: str) -> str:
    """Where the provider sends a browser that opened `url` and chose a citizen (empty: refused)."""
    with httpx.Client(timeout=20) as http:
        page = http.get(url)
        assert page.status_code == 200, page.text
        fields = {html.unescape(name): html.unescape(value) for name, value in HIDDEN.findall(page.text)}
        answer = http.post(httpx.URL(url).join("/authorize"), data=fields | {"citizen": citizen})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]
