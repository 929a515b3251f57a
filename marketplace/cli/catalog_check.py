"""`sandulieu catalog check`: a version is made as for publishing, and thrown away. Needs no database."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import tempfile
from pathlib import Path

import msgspec

from catalog.pii.gate import Override
from catalog.pipeline.run import Observe
from catalog.publish import Publication
from catalog.storage import Store
from marketplace.cli.measured import measured_lines
from marketplace.cli.overriding import add_override
from marketplace.cli.stages import print_stage
from marketplace.cli.suite import suite_beside
from marketplace.cli.telling import read_pair, tell, tell_manifest
from marketplace.config import load
from marketplace.listings.errors import Judged, ListingDenied, ManifestWrong
from marketplace.listings.facts import presumed_publisher
from marketplace.listings.making import make_permitted_version
from marketplace.listings.parsing import parse_manifest
from marketplace.queries.policy_server import policy_server
from marketplace.sources.located import located
from policies.decision import Decision, PreviousFacts
from policies.engine import open_engine


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """catalog check."""
    parser = verbs.add_parser("check")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("manifest", type=Path, nargs="?", metavar="MANIFEST")
    add_override(parser)
    parser.set_defaults(func=_check)


def _check(chosen: argparse.Namespace) -> int:
    manifest = chosen.manifest or chosen.file.with_name("manifest.yaml")
    texts = read_pair(manifest, chosen.file)
    if texts is None:
        return 2
    try:
        observe = None if chosen.json else print_stage
        beside = suite_beside(manifest)
        config = load()
        with located(chosen.file, home=config.home, deadline_ms=config.ingest_deadline_ms) as source:
            publication, judged = asyncio.run(_make(texts, source, chosen.override, beside, observe))
    except ManifestWrong as wrong:
        return tell_manifest(wrong, manifest, as_json=chosen.json)
    except ListingDenied as denied:
        if chosen.json:
            print(_json({"code": denied.code, "reasons": denied.reasons}))
        raise
    for reason in judged.decision.reasons:
        tell(reason.code, reason.params)
    print(_told(publication) if chosen.json else _figures(publication, judged.decision))
    return 0


async def _make(
    manifest_text: str, source: Path, overrides: list[Override], suite_text: str | None, observe: Observe | None
) -> tuple[Publication, Judged]:
    """A version in a folder and under a key that are thrown away, decided on as a publication is."""
    manifest, config = parse_manifest(manifest_text), load()
    engine = open_engine(policy_server(config))
    try:
        with tempfile.TemporaryDirectory(prefix="sandulieu-check-") as folder:
            return await make_permitted_version(
                manifest,
                manifest_text,
                source,
                engine=engine,
                caller=presumed_publisher(manifest.owner),
                listed=PreviousFacts(),
                store=Store(Path(folder)),
                key=secrets.token_bytes(32),
                config=config,
                overrides=overrides,
                suite_text=suite_text,
                observe=observe,
            )
    finally:
        await engine.close()


def _figures(publication: Publication, decision: Decision) -> str:
    version, owed = publication.version, decision.obligations
    state = f", loại/class {owed.state_class} · {owed.personal_class}" if owed else ""
    measured, events = version.measured, publication.report.events_read
    rolled = f" (từ/of {events:,} dòng/rows)" if events else ""
    if rejected := publication.report.rows_rejected:
        rolled += f", {rejected:,} dòng bị loại/rows rejected"
    told = (
        f"✓ {version.dataset}: {version.persons:,} người/persons{rolled}, {version.cohorts:,} nhóm/cohorts, "
        f"k={measured.k}, ℓ={measured.l or '–'}, chi tiết/fine {version.fine_share:.1%}, "
        f"loại ra/left out {version.left_out.share:.2%}{state}"
    )
    risk = publication.report.risk
    return "\n".join([told, *(measured_lines(risk) if risk is not None else ())])


def _told(publication: Publication) -> str:
    """version.json, and the stages beside it."""
    return _json({**msgspec.to_builtins(publication.version), "stages": publication.report.stages})


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
