#!/usr/bin/env python3
"""Write the bundle that an OPA server loads: `python tools/bundle.py [--opa PATH] bundle.tar.gz`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from policies.binaries import find
from policies.build import BuildFailed, bundle
from policies.sources import revision


def main(arguments: list[str]) -> int:
    """0 and the revision on standard output, or 1 and what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    parser.add_argument("--opa", type=Path, help="default: the pinned one, see tools/fetch.py")
    chosen = parser.parse_args(arguments)
    found = find("opa")
    opa = chosen.opa or (found.path if found else None)
    if opa is None:
        print("no OPA: python tools/fetch.py opa", file=sys.stderr)
        return 1
    try:
        bundle(opa, chosen.target.resolve())
    except BuildFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    print(revision())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
