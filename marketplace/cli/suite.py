"""`sandulieu catalog suite FILE [MANIFEST]`: a first suite, to be edited and kept beside the manifest."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from catalog.errors import ManifestRefused, PublicationRefused, code_of
from catalog.quality.expectations import expectations_binds
from catalog.quality.first import first_suite
from catalog.quality.reading import write_suite
from marketplace.cli.telling import tell
from marketplace.config import load
from marketplace.texts import LANGUAGES
from marketplace.web.words import say
from sandbox.job import SandboxFailed

BESIDE = ("suite.yaml", "suite.yml", "suite.json")


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """catalog suite."""
    suite = verbs.add_parser("suite")
    suite.add_argument("file", type=Path, metavar="FILE")
    suite.add_argument("manifest", type=Path, nargs="?", metavar="MANIFEST")
    suite.set_defaults(func=_suite)


def suite_beside(manifest: Path) -> str | None:
    """The suite that is kept beside a manifest, and whose word its verdicts will be; None where there is none.

    Raises OSError, UnicodeDecodeError.
    """
    found = next((path for name in BESIDE if (path := manifest.with_name(name)).is_file()), None)
    if found is None:
        return None
    if expectations_binds() is None:
        print(" / ".join(say("quality.judge.alone", language) for language in LANGUAGES), file=sys.stderr)
    return found.read_text(encoding="utf-8-sig")


def _suite(chosen: argparse.Namespace) -> int:
    manifest = chosen.manifest or chosen.file.with_name("manifest.yaml")
    try:
        text = manifest.read_text(encoding="utf-8-sig")
        made = first_suite(chosen.file, text, limits=load().ingest_limits())
        print(msgspec.json.encode(made).decode() if chosen.json else write_suite(made).rstrip())
    except (OSError, UnicodeDecodeError) as wrong:
        print(f"Không đọc được / cannot read: {wrong}", file=sys.stderr)
        return 2
    except ManifestRefused as refused:
        if chosen.json:
            print(msgspec.json.encode({"errors": refused.errors}).decode())
        for error in refused.errors:
            tell(error.code, error.params)
        return 1
    except PublicationRefused as refused:
        tell(refused.code, refused.params)
        return 1
    except SandboxFailed as failed:
        tell(code_of(failed), failed.params)
        return 1
    return 0
