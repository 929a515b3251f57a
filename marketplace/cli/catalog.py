"""`sandulieu catalog init|check|optimise|detect|suite|publish|show|search|consents`: five need no database."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from catalog.history import Waiting
from catalog.pii.gate import Override
from catalog.pipeline.run import Observe
from catalog.publish import Publication
from catalog.storage import Store
from marketplace.cli import catalog_init, combination, consents, detect, optimise, suite
from marketplace.cli.measured import measured_lines
from marketplace.cli.stages import print_stage
from marketplace.cli.telling import read_pair, tell, tell_manifest
from marketplace.config import load
from marketplace.db.engine import Database, database_url
from marketplace.db.keys import Keys
from marketplace.errors import NotFound
from marketplace.listings.catalogue import list_datasets
from marketplace.listings.errors import Judged, ListingDenied, ManifestWrong
from marketplace.listings.facts import presumed_publisher
from marketplace.listings.once import Released
from marketplace.listings.operator import sender_for
from marketplace.listings.press import Press, make_permitted_version, parse_manifest
from marketplace.listings.publish import publish_version
from marketplace.listings.reads import read_dataset
from marketplace.queries.services import policy_server
from marketplace.sources.located import located
from marketplace.texts import Language
from marketplace.web.words import say
from policies.decision import Decision, PreviousFacts
from policies.engine import open_engine

LANGUAGES: tuple[Language, ...] = ("vi", "en")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """catalog init, check, optimise, detect, suite, publish, show, search, consents."""
    catalog = subparsers.add_parser("catalog", help="danh mục dữ liệu / the catalogue of datasets")
    verbs = catalog.add_subparsers(dest="verb", required=True, metavar="VERB")
    check = verbs.add_parser("check", help="làm thử, không công bố / make a version without releasing it")
    check.add_argument("file", type=Path, metavar="FILE")
    check.add_argument(
        "manifest", type=Path, nargs="?", metavar="MANIFEST", help="default: manifest.yaml beside FILE"
    )
    publish = verbs.add_parser("publish", help="công bố phiên bản mới / release a version")
    publish.add_argument("manifest", type=Path, metavar="MANIFEST")
    publish.add_argument("file", type=Path, metavar="FILE")
    for parser in (check, publish):
        parser.add_argument(
            "--override", action="append", default=[], type=_override, metavar="COLUMN[+COLUMN]:KIND=REASON",
            help="trả lời một cảnh báo dữ liệu cá nhân, ghi nhật ký / answer a finding of personal data, logged",
        )  # fmt: skip
    show = verbs.add_parser("show", help="một bộ dữ liệu / one dataset")
    show.add_argument("slug", metavar="SLUG")
    search = verbs.add_parser("search", help="tìm / find")
    search.add_argument("words", nargs="*", metavar="WORDS")
    for parser, run in ((check, _check), (publish, _publish), (show, _show), (search, _search)):
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
        parser.set_defaults(func=run)
    catalog_init.add_parser(verbs)
    optimise.add_parser(verbs)
    combination.add_parser(verbs)
    consents.add_parser(verbs)
    detect.add_parser(verbs)
    suite.add_parser(verbs)


def _override(text: str) -> Override:
    """Raises ArgumentTypeError for what has not the form, or hardly a reason."""
    try:
        where, reason = text.split("=", 1)
        columns, finding = where.rsplit(":", 1)
        said = {"columns": columns.split("+"), "finding": finding.strip(), "reason": reason.strip()}
        return msgspec.convert(said, Override)
    except (ValueError, msgspec.ValidationError) as wrong:
        raise argparse.ArgumentTypeError("COLUMN[+COLUMN]:KIND=REASON (≥ 10 characters of reason)") from wrong


def _check(chosen: argparse.Namespace) -> int:
    manifest = chosen.manifest or chosen.file.with_name("manifest.yaml")
    texts = read_pair(manifest, chosen.file)
    if texts is None:
        return 2
    try:
        observe = None if chosen.json else print_stage
        beside = suite.suite_beside(manifest)
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


def _publish(chosen: argparse.Namespace) -> int:
    text = read_pair(chosen.manifest, chosen.file)
    if text is None:
        return 2
    try:
        beside = suite.suite_beside(chosen.manifest)
        config = load()
        with located(chosen.file, home=config.home, deadline_ms=config.ingest_deadline_ms) as source:
            released = asyncio.run(_release(text, source, tuple(chosen.override), beside))
    except ManifestWrong as wrong:
        return tell_manifest(wrong, chosen.manifest, as_json=chosen.json)
    if chosen.json:
        print(_json(released))
        return 0
    print(f"✓ {released.slug} · {released.number} · {released.version_id}")
    for each in released.waiting:
        print(f"  {_waits(each)}")
    return 0


def _waits(waiting: Waiting) -> str:
    vi, en = (say(f"waiting.{waiting.reason}", language) for language in LANGUAGES)
    figures = f"{waiting.persons:,} người chờ/persons wait, {waiting.cohorts:,} nhóm/cohorts"
    return f"{figures}, {waiting.since:%Y-%m-%d}: {vi} / {en}"


async def _release(
    manifest_text: str, source: Path, overrides: tuple[Override, ...], suite_text: str | None
) -> Released:
    config = load()
    async with _database() as database:
        manifest = parse_manifest(manifest_text)
        async with database.session() as session:
            by = await sender_for(session, owner_slug=manifest.owner)
        engine = open_engine(policy_server(config))
        try:
            press = Press(
                config=config,
                database=database,
                store=Store(config.path("store")),
                keys=Keys(config.path("keys")),
                engine=engine,
            )
            return await publish_version(
                press,
                manifest_text=manifest_text,
                source=source,
                by=by,
                may_exist=True,
                overrides=overrides,
                suite_text=suite_text,
            )
        finally:
            await engine.close()


def _show(chosen: argparse.Namespace) -> int:
    return asyncio.run(_tell_dataset(chosen.slug, as_json=chosen.json))


async def _tell_dataset(slug: str, *, as_json: bool) -> int:
    async with _database() as database, database.session() as session:
        page = await read_dataset(session, slug)
    if page is None:
        raise NotFound
    if as_json:
        print(_json(page))
        return 0
    version = page.version
    print(f"{page.title_vi} / {page.title_en}  ({page.slug})")
    print(f"  {page.owner_name} · {page.licence} · {page.mode} · {', '.join(page.purposes)}")
    print(f"  v{version.number} {version.id[:12]} · {version.persons:,} người/persons · k={version.measured.k}")
    if page.price is not None:
        print(f"  {page.price.base_vnd:,} đ/query + {page.price.per_gb_vnd:,} đ/GB")
    for column in page.columns:
        print(f"    {column.name:<24} {column.type:<14} {column.role:<18} {column.meaning_vi}")
    return 0


def _search(chosen: argparse.Namespace) -> int:
    return asyncio.run(_tell_found(" ".join(chosen.words), as_json=chosen.json))


async def _tell_found(q: str, *, as_json: bool) -> int:
    async with _database() as database, database.session() as session:
        found = await list_datasets(session, q=q)
    if as_json:
        print(_json(found))
        return 0
    for item in found.items:
        print(f"{item.slug:<28} {item.title_vi}  ({item.owner_name}, k={item.k}, {item.persons:,} người/persons)")
    return 0


@asynccontextmanager
async def _database() -> AsyncIterator[Database]:
    database = Database(database_url(load()), connections=4)
    try:
        yield database
    finally:
        await database.close()


def _figures(publication: Publication, decision: Decision) -> str:
    version, owed = publication.version, decision.obligations
    state = f", loại/class {owed.state_class} · {owed.personal_class}" if owed else ""
    measured, events = version.measured, publication.report.events_read
    rolled = f" (từ/of {events:,} dòng/rows)" if events else ""
    if rejected := publication.report.rows_rejected:
        rolled += f", {rejected:,} dòng bị loại/rows rejected"
    told = (
        f"✓ {version.dataset}: {version.persons:,} người/persons{rolled}, {version.cohorts:,} nhóm/cohorts, "
        f"k={measured.k}, ℓ={measured.l}, chi tiết/fine {version.fine_share:.1%}, "
        f"loại ra/left out {version.left_out.share:.2%}{state}"
    )
    risk = publication.report.risk
    return "\n".join([told, *(measured_lines(risk) if risk is not None else ())])


def _told(publication: Publication) -> str:
    """version.json, and the stages beside it."""
    return _json({**msgspec.to_builtins(publication.version), "stages": publication.report.stages})


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
