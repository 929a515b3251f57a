"""The log in a store that speaks S3: as whole as on disk, whatever that does, and never over what it holds."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import stat
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import httpx
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from litestar.testing import AsyncTestClient

from marketplace.audit import api, looking
from marketplace.audit import bucket_log as bucket_log_module
from marketplace.audit.bucket_log import BucketLog
from marketplace.audit.export import export_log
from marketplace.audit.log_store import published_log
from marketplace.audit.looking import LogLook
from marketplace.audit.published import PublishedBroken, PublishedLog, read_tile
from marketplace.audit.publishing import publish, rolled_back
from marketplace.audit.tiles import Tile
from marketplace.inspection import look as look_module
from marketplace.inspection.look import look
from marketplace.sources import bucket as bucket_module
from marketplace.sources.bucket import Bucket, StoreAway, StoreSaysNo
from marketplace.sources.description import S3
from marketplace.sources.errors import DescriptionWrong, NotSecure, OpenToOthers
from tests.marketplace.api import small_app
from tests.marketplace.audit.conftest import Log
from tests.marketplace.audit.reader import read_checkpoint, read_log
from tests.marketplace.audit.test_publishing import grow
from tests.marketplace.sources.store import BUCKET, KEY_ID, REGION, SECRET

DAY = timedelta(days=1)
ROOT = Path(__file__).parents[3]


class Stored:
    """A store in its own process that can be killed, and what lies in it."""

    def __init__(self, folder: Path, *, certificate: Path | None = None) -> None:
        self.folder = folder
        self.certificate = certificate
        self.port = "0"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-S", "-m", "tests.marketplace.sources.store", str(self.folder), self.port]
        command += [str(self.certificate)] if self.certificate else []
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self.process.stdout is not None
        self.port = self.process.stdout.readline().strip()

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()

    def place(self, prefix: str) -> S3:
        scheme = "https" if self.certificate else "http"
        return S3(
            endpoint=f"{scheme}://127.0.0.1:{self.port}", bucket=BUCKET, prefix=f"{prefix}/", region=REGION,
            access_key_id=KEY_ID, secret_access_key=SECRET,
        )  # fmt: skip

    def log(self, prefix: str, *, timeout_ms: int = 5_000) -> BucketLog:
        return BucketLog(Bucket(self.place(prefix), timeout_ms=timeout_ms), self.folder.parent / "lock")

    def break_at(self, at: int, how: str) -> None:
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}/fault?at={at}&how={how}", b"")
        urllib.request.urlopen(asked).close()

    def describe(self, path: Path, prefix: str) -> Path:
        told = msgspec.to_builtins(self.place(prefix))
        path.write_text("".join(f"{name} = {value!r}\n" for name, value in told.items() if value is not None))
        path.chmod(0o600)
        return path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    stored = Stored(tmp_path_factory.mktemp("bucket") / "objects")
    stored.folder.mkdir(exist_ok=True)
    yield stored
    stored.stop()


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket_module, "PAUSE_S", 0.01)


async def test_what_is_published_in_a_store_is_what_an_independent_reader_wants(
    log: Log, store: Stored, tmp_path: Path
) -> None:
    """By way of the configuration, as the service and its API read it: tiles, export and nightly audit."""
    described = store.describe(tmp_path / "log.toml", "whole")
    away = replace(log, config=msgspec.structs.replace(log.config, log_store_file=described))
    for count in (1, 254, 1, 1, 300):
        await grow(away, count)
        leaves = read_log(store.folder / "whole", str(log.key))
    assert len(leaves) == 557
    assert not (store.folder / "whole/tile/0/000.p").exists() or not list(
        (store.folder / "whole/tile/0/000.p").iterdir()
    ), "a full tile has replaced them"
    assert not (log.config.path("log") / "checkpoint").exists(), "nothing on this disk"
    bucket_log = published_log(away.config)
    assert bucket_log is published_log(away.config), "its connections are kept"
    narrow = read_tile(bucket_log, Tile(0, 0, 7))
    assert narrow is not None
    assert len(narrow) == 7 * 32, "a partial tile out of the full one"
    async with log.database.session() as session:
        assert await export_log(session, bucket_log, tmp_path / "copy", log.key) == 557
    assert read_log(tmp_path / "copy", str(log.key)) == leaves
    assert (await look(log.database, log.keys, away.config)).published == ()
    tile = store.folder / "whole/tile/0/001"
    tile.write_bytes(tile.read_bytes()[:-1] + b"\x00")
    (wrong,) = (await look(log.database, log.keys, away.config)).published
    assert (wrong.code, wrong.detail) == ("log.tile", "0/001, leaf 511")


class Behind:
    """Shows the head that it was made with: what is read below it, the log has outgrown."""

    def __init__(self, log: PublishedLog, note: str) -> None:
        self.log, self.note = log, note
        self.read, self.writing = log.read, log.writing

    def checkpoint(self) -> str:
        return self.note


async def test_a_log_that_outgrows_its_audit_is_whole_and_a_forged_size_is_not_fetched(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await grow(log, 200)
    note = log.published.checkpoint() or ""
    await grow(log, 100)
    config = msgspec.structs.replace(log.config, home=tmp_path / "of another process")
    for shown, said in ((note, []), (note.replace("\n200\n", f"\n{10**17}\n"), ["note.forged"])):
        monkeypatch.setattr(look_module, "published_log", lambda _, shown=shown: Behind(log.published, shown))
        verdict = await look(log.database, log.keys, config)
        assert [each.code for each in verdict.published] == said


async def test_the_api_gives_what_lies_in_the_store_and_says_when_it_is_away(
    log: Log, store: Stored, tmp_path: Path
) -> None:
    described = store.describe(tmp_path / "log.toml", "api")
    config = msgspec.structs.replace(log.config, log_store_file=described)
    await grow(replace(log, config=config), 3)
    app = small_app(api.handlers, database=log.database, config=config, keys=log.keys)
    async with AsyncTestClient(app, raise_server_exceptions=False) as http:
        for path in ("tile/0/000.p/3", "checkpoint"):
            answer = await http.get(f"/api/v1/audit/{path}")
            assert (answer.status_code, answer.content) == (200, (store.folder / "api" / path).read_bytes())
        whole = (store.folder / "api/tile/0/000.p/3").read_bytes()
        assert (await http.get("/api/v1/audit/tile/0/000.p/2")).content == whole[:64]
        assert (await http.get("/api/v1/audit/tile/0/000.p/4")).status_code == 404
        described.write_text(described.read_text().replace("api/", "no-note/"))
        (store.folder / "no-note").mkdir()
        (store.folder / "no-note/checkpoint").write_text("<html>sign in")
        garbled = await http.get("/api/v1/audit/tile/0/000.p/3")
        described.write_text("kind = 's3'\nbucket = 'b'\n")
        wrong = await http.get("/api/v1/audit/tile/0/000.p/3")
        store.describe(described, "api")
        store.stop()
        away = await http.get("/api/v1/audit/tile/0/000.p/3")
        for answer in (garbled, wrong, away):
            assert (answer.status_code, answer.json()["code"]) == (503, "log.away")
            assert store.port not in answer.text, "nor where it is"
    store.start()


class Slow(BucketLog):
    """A store that answers nothing until it is told to."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def checkpoint(self) -> str | None:
        self.go.wait(20)
        raise StoreAway


async def test_whoever_waits_for_a_slow_store_keeps_nobody_else_waiting(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow()
    monkeypatch.setattr(api, "published_log", lambda _: slow)
    app = small_app(api.handlers, database=log.database, config=log.config, keys=log.keys)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        ready = [asyncio.create_task(rolled_back(log.database, slow, log.key)) for _ in range(40)]
        monkeypatch.setattr(looking, "published_log", lambda _: slow)
        monkeypatch.setattr(looking, "PATIENCE_S", 0.01)
        looks, asks = LogLook(), [log.database, log.config, log.key]
        before = len(asyncio.all_tasks())
        assert {await looks.holds(*asks) for _ in range(5)} == {None}  # type: ignore[arg-type]
        assert len(asyncio.all_tasks()) == before + 1, "who asks again waits for the same look"
        asked = [asyncio.create_task(http.get("/api/v1/audit/tile/0/000")) for _ in range(40)]
        await asyncio.wait(asked, timeout=0.5)
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "done"), 10) == "done"
        slow.go.set()
        assert {each.status_code for each in await asyncio.gather(*asked)} == {503}
        assert {type(each) for each in await asyncio.gather(*ready, return_exceptions=True)} == {StoreAway}


async def test_only_what_lies_where_it_was_asked_for_is_removed(log: Log, store: Stored) -> None:
    careless = store.log("careless")
    await grow(log, 255)
    await publish(log.database, careless, log.key)
    await grow(log, 2)
    assert await publish(log.database, careless, log.key) == 257
    assert len(read_log(store.folder / "careless", str(log.key))) == 257
    assert not list((store.folder / "careless/tile/0/000.p").iterdir())


def test_a_refusal_that_does_not_end_is_not_waited_for(store: Stored) -> None:
    with pytest.raises(StoreSaysNo, match="403 AccessDenied"):
        Bucket(store.place("x"), timeout_ms=500).get("x/endless", max_bytes=10)
    with pytest.raises(StoreSaysNo, match="404 NoSuchBucket"):
        Bucket(msgspec.structs.replace(store.place("x"), bucket="nobody"), timeout_ms=500).get("a", max_bytes=10)


async def test_the_store_may_fail_at_every_write(log: Log, store: Stored) -> None:
    """Silent, too slow or killed, with the write done or not: a reader has the whole log, and the rest follows."""
    await grow(log, 5)
    await publish(log.database, store.log("before"), log.key)
    await grow(log, 252)
    heads, silent = {shown(store.folder / "before", log)}, ("silent-before", "silent-after")
    others = (*itertools.product((1, 6), ("die-before", "die-after")), (2, "503"), (6, "slow-after"))
    for at, how in (*itertools.product(range(1, WRITES + 2), silent), *others):
        name = f"broken-{at}-{how}"
        shutil.copytree(store.folder / "before", store.folder / name)
        broken = store.log(name, timeout_ms=300 if how == "slow-after" else 5_000)
        with broken.writing():
            pass  # its conditions are tried; no write of the log is one of those
        store.break_at(at, how)
        dies = how.startswith("die")
        try:
            await publish(log.database, broken, log.key)
        except StoreAway:
            assert dies, "else it is tried again"
        heads.add(shown(store.folder / name, log))
        if dies:
            store.process.wait(5)
            store.start()
            assert await publish(log.database, store.log(name), log.key) == 257
        assert shown(store.folder / name, log)[0] == 257
    assert {size for size, _ in heads} == {5, 257}


WRITES = 8
"""Five tiles and bundles, the checkpoint, and two partial tiles that go."""


def shown(folder: Path, log: Log) -> tuple[int, bytes]:
    """The checkpoint that a reader gets now; whatever it gets has all its tiles."""
    read_log(folder, str(log.key))
    return read_checkpoint((folder / "checkpoint").read_text(), str(log.key))


@pytest.mark.parametrize("way", ["", "unconditional", "ignoring"])
async def test_other_bytes_under_a_tiles_name_are_refused_named_and_left(
    log: Log, store: Stored, way: str
) -> None:
    """Also by a store that knows no conditions, or ignores them."""
    prefix = f"{way}/once" if way else "once"
    bucket_log, taken = store.log(prefix), store.folder / prefix / "tile/entries/000.p/7"
    await grow(log, 4)
    await publish(log.database, bucket_log, log.key)
    head = bucket_log.checkpoint()
    taken.parent.mkdir(parents=True, exist_ok=True)
    taken.write_bytes(b"another log's")
    await grow(log, 3)
    with pytest.raises(PublishedBroken, match=r"tile/entries/000\.p/7"):
        await publish(log.database, bucket_log, log.key)
    assert taken.read_bytes() == b"another log's"
    assert (store.folder / prefix / "checkpoint").read_text() == head
    taken.unlink()
    assert await publish(log.database, store.log(prefix), log.key) == 7
    assert len(read_log(store.folder / prefix, str(log.key))) == 7


@pytest.mark.parametrize("way", ["", "unconditional"])
async def test_who_publishes_from_elsewhere_meanwhile_is_not_written_over(
    log: Log, store: Stored, tmp_path: Path, way: str
) -> None:
    """An exchange that was restored elsewhere, from an older backup, must not take the checkpoint back."""
    prefix = f"{way}/two" if way else "two"
    place = store.place(prefix)
    here = BucketLog(Bucket(place, timeout_ms=5_000), tmp_path / "here")
    there = BucketLog(Bucket(place, timeout_ms=5_000), tmp_path / "there")
    await grow(log, 2)
    await publish(log.database, here, log.key)
    with there.writing() as late:
        await grow(log, 2)
        assert await publish(log.database, here, log.key) == 4
        newest = here.checkpoint()
        with pytest.raises(StoreAway, match="somebody else"):
            late.show("an older one\n")
    assert (store.folder / prefix / "checkpoint").read_text() == newest
    assert there.checkpoint() == newest


async def test_two_processes_of_one_home_take_turns_and_call_each_other_no_stranger(
    log: Log, store: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket_log_module, "SEEN_S", 1_000)
    one, other = store.log("turns"), store.log("turns")
    for _ in range(3):
        for each in (one, other):
            await grow(log, 2)
            size = await publish(log.database, each, log.key)
    assert size == 12
    assert len(read_log(store.folder / "turns", str(log.key))) == 12


async def test_a_store_that_keeps_nothing_shows_nothing(log: Log, store: Stored) -> None:
    await grow(log, 2)
    with pytest.raises(StoreAway, match="does not have it"):
        await publish(log.database, store.log("lying"), log.key)
    with pytest.raises(StoreAway, match="507"):
        await publish(log.database, store.log("full"), log.key)
    assert not (store.folder / "lying").exists()


def test_a_store_whose_certificate_nobody_vouches_for_is_not_spoken_to(tmp_path: Path) -> None:
    stored = Stored(tmp_path, certificate=self_signed(tmp_path / "store.pem"))
    try:
        place = stored.place("tls")
        with pytest.raises(StoreAway, match="ConnectError"):
            Bucket(place, timeout_ms=5_000).put("tls/a", b"1")
        vouched = Bucket(msgspec.structs.replace(place, ca_file=str(stored.certificate)), timeout_ms=5_000)
        assert vouched.put("tls/a", b"1")
        assert (tmp_path / "tls/a").read_bytes() == b"1"
    finally:
        stored.stop()


def self_signed(path: Path) -> Path:
    """Key and certificate of 127.0.0.1, PEM."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "store")])
    names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - DAY, now + DAY)
    signed = made.add_extension(names, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + signed.public_bytes(Encoding.PEM))
    return path


async def test_a_database_that_does_not_hold_what_the_store_shows_is_refused(log: Log, store: Stored) -> None:
    bucket_log = store.log("ahead")
    await grow(log, 2)
    await publish(log.database, bucket_log, log.key)
    log.tamper("UPDATE checkpoint SET root = sha256(root)")
    assert await rolled_back(log.database, bucket_log, log.key)


async def test_what_describes_the_store_is_private_right_and_tells_no_secret(
    log: Log, store: Stored, tmp_path: Path
) -> None:
    path = store.describe(tmp_path / "log.toml", "private")
    config = msgspec.structs.replace(log.config, log_store_file=path)
    path.chmod(0o640)
    with pytest.raises(OpenToOthers):
        published_log(config)
    path.chmod(stat.S_IRUSR)
    assert published_log(config).checkpoint() is None
    path.chmod(0o600)
    path.write_text(path.read_text().replace(SECRET, "another"))
    with pytest.raises(StoreSaysNo) as no:
        published_log(config).checkpoint()
    assert "SignatureDoesNotMatch" in str(no.value)
    assert KEY_ID not in str(no.value)
    path.write_text('kind = "postgresql"\ndsn = "host=x"\ntable = "y"\n')
    with pytest.raises(DescriptionWrong):
        published_log(config)
    with pytest.raises(NotSecure):
        Bucket(msgspec.structs.replace(store.place("x"), endpoint="http://store.example"), timeout_ms=1)
    for none in (tmp_path / "no.pem", path):
        with pytest.raises(DescriptionWrong) as unread:
            Bucket(msgspec.structs.replace(store.place("x"), ca_file=str(none)), timeout_ms=1)
        assert unread.value.params["problem"] == f"ca_file: {none}"
