"""Objects below a prefix, from a store that speaks S3 in its own process."""

from __future__ import annotations

import datetime
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from marketplace.errors import Problem
from marketplace.sources import bucket
from marketplace.sources.description import S3
from marketplace.sources.s3 import fetch_s3
from marketplace.sources.signing import query_string, signed_headers
from tests.marketplace.sources.store import BUCKET, KEY_ID, REGION, SECRET

FILES = {
    "2025/b.csv": b"a,b\n1,2\n", "2025/a/part 1.parquet": b"PAR1", "2025/flaky.csv": b"a,b\n3,4\n",
    "2025/_SUCCESS": b"",
    "2025/.a.crc": b"crc", "2024/old.csv": b"old", "2025/ngày+1&2.csv": b"a,b\n5,6\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    folder = tmp_path_factory.mktemp("store")
    for key, body in FILES.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(body)
    command = [sys.executable, "-m", "tests.marketplace.sources.store", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        yield S3(
            endpoint=f"http://127.0.0.1:{port}", bucket=BUCKET, prefix="2025/", access_key_id=KEY_ID,
            secret_access_key=SECRET, region=REGION,
        )  # fmt: skip
        process.kill()


def test_all_objects_below_the_prefix_are_fetched_over_pages_and_a_fault(store: S3, tmp_path: Path) -> None:
    fetch_s3(store, tmp_path, deadline_ms=30_000, max_bytes=10_000)
    assert sorted(p.read_bytes() for p in tmp_path.iterdir()) == sorted(
        [FILES["2025/b.csv"], b"PAR1", FILES["2025/flaky.csv"], FILES["2025/ngày+1&2.csv"]]
    )
    assert {p.stat().st_mode & 0o777 for p in tmp_path.iterdir()} == {0o600}


REFUSED = {
    "a wrong secret": ({"secret_access_key": "another"}, "source.store_refused", "SignatureDoesNotMatch"),
    "another bucket": ({"bucket": "nobody"}, "source.store_refused", "NoSuchBucket"),
    "nothing below the prefix": ({"prefix": "1999/"}, "source.nothing_there", ""),
    "a listing that goes on from where it began": (
        {"prefix": "bad-token"},
        "source.store_refused",
        "NextContinuationToken",
    ),
    "an object of no size": ({"prefix": "bad-size"}, "source.store_refused", "Size"),
    "plain http elsewhere": ({"endpoint": "http://store.example"}, "source.not_secure", ""),
    "nobody listens": ({"endpoint": "http://127.0.0.1:9"}, "source.store_unreachable", ""),
}


@pytest.mark.parametrize(("change", "code", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_the_store_refuses_is_told_without_a_secret(
    store: S3, tmp_path: Path, change: dict[str, str], code: str, reason: str
) -> None:
    with pytest.raises(Problem) as refused:
        fetch_s3(msgspec.structs.replace(store, **change), tmp_path, deadline_ms=30_000, max_bytes=10_000)
    assert refused.value.code == code
    assert refused.value.params.get("reason", "") == reason
    assert SECRET not in str(refused.value.params) + repr(store)


def test_what_all_objects_take_together_is_bounded(store: S3, tmp_path: Path) -> None:
    with pytest.raises(Problem) as refused:
        fetch_s3(store, tmp_path, deadline_ms=30_000, max_bytes=10)
    assert refused.value.code == "source.too_large"


def test_a_listing_without_end_is_given_up(store: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "MAX_PAGES", 5)
    endless = msgspec.structs.replace(store, prefix="bad-tokens")
    with pytest.raises(Problem) as refused:
        fetch_s3(endless, tmp_path, deadline_ms=30_000, max_bytes=10_000)
    assert refused.value.params == {"status": 200, "reason": "NextContinuationToken"}


def test_all_of_it_together_has_a_deadline(store: S3, tmp_path: Path) -> None:
    with pytest.raises(Problem) as refused:
        fetch_s3(store, tmp_path, deadline_ms=0, max_bytes=10_000)
    assert refused.value.code == "source.too_slow"


def test_signatures_are_those_of_the_published_examples() -> None:
    """docs.aws.amazon.com, "Examples: Signature Calculations": GET object, GET bucket (list objects)."""
    source = S3(
        endpoint="https://s3.amazonaws.com", bucket="examplebucket", prefix="",
        access_key_id="AKIAIOSFODNN7EXAMPLE",
        secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    )  # fmt: skip
    at, host = datetime.datetime(2013, 5, 24, tzinfo=datetime.UTC), "examplebucket.s3.amazonaws.com"
    get = signed_headers(source, host=host, path="/test.txt", query="", at=at, more={"range": "bytes=0-9"})
    assert get["authorization"].endswith("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    query = query_string([("prefix", "J"), ("max-keys", "2")])
    listed = signed_headers(source, host=host, path="/", query=query, at=at)
    assert listed["authorization"].endswith("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
