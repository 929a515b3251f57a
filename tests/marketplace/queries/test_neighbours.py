"""dp mode through the service: registers that differ in one person are told apart by noisy numbers only.

Three registers, published alike: without her, with her (alone in her province and village, whatever has bounds far
outside them), with somebody of whom nothing is known. The same is asked of each; everything that leaves is kept:
status, headers, words, prices, bytes, budget, progress, receipts, usage, log, files, pages. Ids, instants, hashes,
and the numbers of an answer are struck out; the rest must be the same to the letter.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.catalog.private import HEADER, households
from tests.catalog.small import Row, write
from tests.market import Market
from tests.marketplace.queries.test_private import files
from tests.visits import visiting

pytestmark = pytest.mark.timeout(300)  # some two hundred things are asked and looked at in each world
HER: Row = ["P99999", "Cao Bằng", "X" * 150, "999999999", "1e300", "không", "9999-12-31", "có"]
NOTHING_KNOWN: Row = ["P99999", "", "", "", "", "", "", "có"]
WORLDS: dict[str, list[Row]] = {"lang_gieng_0": [], "lang_gieng_1": [HER], "lang_gieng_2": [NOTHING_KNOWN]}
"""Slugs, and who is there beside the others."""
LARGER = "lang_gieng_9"
"""Of which more persons are declared: what may be told, and must be found."""
OWNER = "rival_owner"
RHO = 2_000
WALLET_VND = 9_000_000
"""At the beginning of each world, so that what is left of it is the same."""
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
FORMS = ("application/json", "text/csv", PARQUET, ARROW)
COUNTED = (
    "select count(*) as n from {t}",
    "select province, count(*) as n, sum(income) as s from {t} group by province order by province",
    "select village, count(*) as n from {t} group by village order by village limit 30",
    "select visited, count(*) as n from {t} where visited > date '2026-01-01' group by visited",
    "select length(village) as l, count(*) as n from {t} group by 1",
    "select cast(village as date) as d, count(*) filter (where visited + interval 1 day > date '9999-12-31') as n "
    "from {t} where 1 // (age - 100) = 0 or age + 9223372036854775807 > 0 group by 1",
)
"""Each number is there whatever it is, so that even the length of the answer is the same."""
QUESTIONS = (
    *COUNTED,
    "select avg(age) as a, variance(age) as v, median(income) as m from {t} where province = 'Cao Bằng'",
    "select max(age) as a from {t}",
    "select nothing from {t}",
)
STRUCK = {
    "checkpoint", "closed", "content-length", "dataset_previous", "date", "etag", "event_id", "first", "inclusion",
    "index", "leaf_index", "link", "lowest", "next", "proof", "related", "root", "salt", "seq", "signed",
    "trace_id", "wall_us", "words",
}  # fmt: skip
"""Names of what differs by chance or by order. Of `wall_us`, see test_private."""
AT_LAST = re.compile(r"[0-9a-f-]{36}|[0-9a-f]{12,64}|1[78]\d{8,11}|20\d\d-\d\d-\d\dT[\d:.]+(Z|\+00:00)?")
_VOLATILE_FACTS = ("usage.wall_us", "usage.engine_us", "result_sha256")


def struck(value: Any, slug: str) -> Any:
    """Without ids, instants, hashes and names of the world."""
    if isinstance(value, dict):
        if value.get("name") in _VOLATILE_FACTS:
            return value["name"]
        return {k: struck(v, slug) for k, v in value.items() if k.lower() not in STRUCK}
    if isinstance(value, list | tuple):
        return [struck(each, slug) for each in value]
    said = str(value)
    return AT_LAST.sub("*", re.sub(slug.replace("_", "[_ -]"), "SLUG", said))


def body_of(answer: httpx.Response) -> Any:
    """What it says: JSON as such, of a page what stands in its middle."""
    kind = answer.headers.get("content-type", "")
    if "json" in kind:
        return answer.json()
    if "html" in kind:
        main = re.search(r"<main.*</main>", answer.text, re.S)
        assert main, answer.text
        return re.sub(r'name="(csrf_token|key)" value="[^"]*"|id="[^"]*"|<time.*?</time>', "", main[0])
    return answer.text


def _shape(answer: httpx.Response, form: str, *, to_the_byte: bool) -> Any:
    """A file without its numbers."""
    if form not in (ARROW, PARQUET):
        return re.sub(r"(?<=[:,\n])(-?\d+(\.\d+)?([eE][-+]?\d+)?|null)?(?=[,}\n])", "#", answer.text)
    read = pa.BufferReader(answer.content)
    table = pq.read_table(read) if form == PARQUET else pa.ipc.open_stream(read).read_all()
    size = len(answer.content) if form == ARROW and to_the_byte else None
    label = {name.decode(): value.decode() for name, value in table.schema.metadata.items()}
    return [str(table.schema.remove_metadata()), label, table.num_rows, size]


class World:
    """Somebody who asks in one world, and all that was said."""

    def __init__(self, market: Market, slug: str, http: httpx.Client) -> None:
        self._market, self._slug, self._http = market, slug, http
        self.said: dict[str, Any] = {}

    def keep(self, name: str, answer: httpx.Response, body: Any = None) -> httpx.Response:
        told = body_of(answer) if body is None else body
        self.said[name] = struck([answer.status_code, dict(answer.headers), told], self._slug)
        return answer

    def ask(self, sql: str, agreement: str) -> None:
        asked = self._market.ask(sql.format(t=self._slug), slug=agreement, rho_micro=RHO)
        for path in ("quote", "dry-run", "explain"):
            self.keep(f"{sql} {path}", self._http.post(f"/api/v1/queries/{path}", json=asked))
        answer = self.keep(f"{sql} asked", self._http.post("/api/v1/queries", json=asked))
        if answer.is_success:
            at = f"/api/v1/queries/{answer.json()['id']}"
            self.keep(f"{sql} events", self._http.get(at + "/events"))
            if sql == QUESTIONS[0]:
                self.keep(f"{sql} again", self._http.post("/api/v1/queries", json=asked))
            self.keep(f"{sql} receipt", self._receipt(at))
            for form in FORMS:
                answer = self._http.get(at + "/result", headers={"Accept": form})
                shape = _shape(answer, form, to_the_byte=sql in COUNTED) if answer.is_success else None
                self.keep(f"{sql} {form}", answer, shape)
            if sql in COUNTED:
                part = {"Accept": ARROW, "Range": "bytes=0-3"}
                self.keep(f"{sql} range", self._http.get(at + "/result", headers=part))
            self.keep(f"{sql} view", self._http.get(at))

    def _receipt(self, at: str) -> httpx.Response:
        while not (receipt := self._http.get(at + "/receipt")).is_success:
            assert receipt.status_code in (404, 409), receipt.text
        return receipt

    def look(self, agreement: str) -> None:
        """At everything else that tells of the dataset and of what was used."""
        slug, dataset = self._slug, self._market.datasets[self._slug]
        of_dataset = ("", "/about", "/odrl", "/offers", "/rejected", "/waiting", "/estimate?columns=age")
        paths = [f"/api/v1/datasets/{slug}{each}" for each in of_dataset]
        paths += [f"/api/v1/agreements/{agreement}{each}" for each in ("", "/budget", "/odrl")]
        paths += [f"/datasets/{slug}/metadata/{form}" for form in ("croissant", "dcat", "schema-org", "ttl")]
        for path in paths:
            self.keep(path.replace(slug, "…").replace(agreement, "…"), self._http.get(path))
        for path in ("/api/v1/usage?limit=200", f"/api/v1/audit/events?dataset_id={dataset}&limit=200"):
            found = self._http.get(path)
            mine = [each for each in found.json()["items"] if each.get("dataset_id") == dataset]
            assert mine
            self.keep(path.replace(dataset, "…"), found, mine)
        with visiting(self._market, "startup") as visitor:
            for path in (f"/datasets/{slug}", f"/datasets/{slug}/sample",
                         f"/agreements/{agreement}", f"/agreements/{agreement}/budget"):  # fmt: skip
                self.keep("page " + path.replace(slug, "…").replace(agreement, "…"), visitor.get(path))


def publish(market: Market, folder: Path, slug: str, more: list[Row], **changed: str) -> None:
    """A lineage of its own, of people in three provinces and ten villages: so large, and she so alone, that which
    groups are shown is chance in less than one of a million."""
    manifest, _ = files(folder, slug=slug, population=slug, **changed)
    said = manifest.read_text(encoding="utf-8").replace("cuc-du-lieu-mau", "rival-owner")
    manifest.write_text(said, encoding="utf-8")
    people = [[*row[:1], "Huế" if row[1] == "Cao Bằng" else row[1], *row[2:]] for row in households()]
    market.publish(slug, manifest, write(folder / "rows.csv", people + more, HEADER), owner=OWNER)


def everything_said(market: Market, slug: str) -> dict[str, Any]:
    """In that world: to questions, to one whose answer has too many rows, and to looks."""
    few = market.agree(slug, owner=OWNER, max_rows=2)
    market.agreements[f"{slug}_few"] = few
    agreement = market.agree(slug, owner=OWNER)
    market.credit(10**9 + WALLET_VND - market.balance()["available_vnd"])
    bearer = {"Authorization": f"Bearer {market.parties.tokens['startup']}"}
    with httpx.Client(base_url=market.url, timeout=60, headers=bearer) as http:
        world = World(market, slug, http)
        for sql in QUESTIONS:
            world.ask(sql, slug)
        world.ask("select province, count(*) as m from {t} group by 1", f"{slug}_few")
        world.look(agreement)
    return world.said


def differences(one: Any, other: Any, at: str = "") -> list[str]:
    """Where two things said differ, each with both."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [each for name in one for each in differences(one[name], other[name], f"{at} {name}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [d for n, pair in enumerate(zip(one, other, strict=True)) for d in differences(*pair, f"{at} {n}")]
    return [] if one == other else [f"{at}: {one!r} is not {other!r}"]


@pytest.fixture(scope="module")
def without_her(market: Market, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    slug, more = next(iter(WORLDS.items()))
    publish(market, tmp_path_factory.mktemp(slug), slug, more)
    return everything_said(market, slug)


@pytest.mark.parametrize("slug", list(WORLDS)[1:])
def test_one_person_changes_nothing_that_leaves_but_noisy_numbers(
    market: Market, tmp_path: Path, without_her: dict[str, Any], slug: str
) -> None:
    publish(market, tmp_path, slug, WORLDS[slug])
    found = differences(without_her, everything_said(market, slug))
    assert not found, "\n".join(found)


def test_what_the_owner_declares_is_seen_by_who_looks_so(
    market: Market, tmp_path: Path, without_her: dict[str, Any]
) -> None:
    """The same looks find another number of persons declared, in price, log and pages: they are not blind."""
    publish(market, tmp_path, LARGER, [], persons_at_most="6000")
    found = " ".join(differences(without_her, everything_said(market, LARGER)))
    for where in ("quote", "asked", "receipt", "/usage", "/audit/events", "page /datasets/…"):
        assert where in found
