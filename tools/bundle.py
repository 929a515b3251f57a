#!/usr/bin/env python3
"""Sign the bundle that an OPA server loads: `python tools/bundle.py policy/bundle.tar.gz`.

Writes the bundle and, beside it, opa.json (for `opa run --server --config-file`) and the public key. The private
key is made at the first run, in SANDULIEU_HOME/keys.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

from marketplace.config import load
from policies.binaries import find
from policies.build import BuildFailed
from policies.release import release
from policies.signing import PUBLIC


def main(arguments: list[str]) -> int:
    """0 and what was signed on standard output, or 1 and what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    parser.add_argument("--opa", type=Path, help="default: the pinned one, see tools/fetch.py")
    parser.add_argument("--keys", type=Path, help="folder of the private key; default: SANDULIEU_HOME/keys")
    parser.add_argument(
        "--served-at", help="web folder OPA fetches the bundle from, again and again; default: the file, once"
    )
    chosen = parser.parse_args(arguments)
    found = find("opa")
    opa = chosen.opa or (found.path if found else None)
    if opa is None:
        print("no OPA: python tools/fetch.py opa", file=sys.stderr)
        return 1
    keys = chosen.keys or load().path("keys")
    target = chosen.target.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    now_ms = time.time_ns() // 1_000_000
    try:
        done = release(opa, target, keys=keys, built_at_ms=now_ms, served_at=chosen.served_at)
    except BuildFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    shutil.copyfile(keys / PUBLIC, target.with_name(PUBLIC))
    print(f"policy {done.revision}, signed with key {done.key_id}: {done.bundle}, {done.configuration}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
