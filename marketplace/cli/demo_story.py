"""The story that the demo plays: every step is a real call to the running service."""

from __future__ import annotations

import csv
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from marketplace.cli import demo_private
from marketplace.cli.client import Client
from marketplace.cli.demo_citizen import citizens_of, sign_in
from marketplace.cli.demo_parties import Parties
from marketplace.cli.demo_stage import (
    PURPOSE,
    Stage,
    StoryFailed,
    agree,
    answer_to,
    ask,
    command,
    expect,
    generated,
    publish,
)

ADULT_SQL = """
select education, count(*) as persons, avg(case when salary_class = '>50K' then 1.0 else 0 end) as high_income
from adult group by education order by persons desc limit 8
"""
LICENCE_SQL = "select hang, count(*) as so_nguoi from giay_phep_lai_xe group by hang order by hang"
CREDIT_VND = 500_000


@dataclass
class Told:
    """What the story leaves for its summary."""

    dataset_id: str = ""
    agreement_id: str = ""
    purpose: str = PURPOSE
    query_id: str = ""
    charged_vnd: int = 0
    receipt: Path = field(default_factory=Path)
    checkpoint: str = ""
    good: bool = False


def play(
    client: Client,
    parties: Parties,
    *,
    examples: Path,
    home: Path,
    tell: Callable[[str], None],
    with_citizens: bool,
) -> Told:
    """Publish, apply, approve, quote, run, refuse, withdraw, settle, prove.

    `with_citizens`: the service's visitors sign in at the fake VNeID, so a citizen speaks for herself too.
    """
    as_ = {key: Client(client.base_url, token) for key, token in parties.tokens.items()}
    stage = Stage(as_["owner"], as_["startup"], as_["regulator"], as_["operator"], parties, examples, home, tell)
    told = Told()
    began = time.monotonic()
    try:
        _credit(stage)
        adult = publish(stage, "adult", "adult.csv.gz")
        licences = publish(stage, "giay_phep_lai_xe", None)
        _refused_publication(stage)
        told.dataset_id = adult
        told.agreement_id = agree(stage, adult, "adult", step="4.")
        _query(stage, told)
        _wrong_purpose(stage, told)
        _withdrawal(stage, licences)
        if with_citizens:
            _citizen(stage, licences)
        _private(stage)
        _statements(stage)
        _prove(stage, told)
        told.good = True
    except StoryFailed as failed:
        tell(f"✗ {failed}")
    tell(f"\n{'✓' if told.good else '✗'} {time.monotonic() - began:.1f} s")
    return told


def _credit(stage: Stage) -> None:
    startup = stage.parties.of("startup")
    body = {
        "organisation_id": str(startup.organisation_id),
        "amount_vnd": CREDIT_VND,
        "reference": f"demo {uuid.uuid4().hex[:8]}",
    }
    expect(stage.operator.post("/api/v1/wallet/credits", body), 200, 201)
    wallet = expect(stage.startup.get("/api/v1/wallet"), 200)
    stage.tell(f"1. Ví / wallet: +{CREDIT_VND:,} đ → {wallet['available_vnd']:,} đ")


def _refused_publication(stage: Stage) -> None:
    folder = stage.examples / "giay_phep_lai_xe"
    answer = stage.owner.upload(
        "/api/v1/datasets", manifest=folder / "too_identifying.yaml", file=generated(stage.examples, stage.home)
    )
    problem = expect(answer, 422)
    if problem["code"] != "publication.too_identifying":
        raise StoryFailed(f"refused for another reason: {problem['code']}: {problem['detail']}")
    stage.tell(f"3. Cột quá định danh bị từ chối / too identifying, refused: {problem['detail']}")


def _query(stage: Stage, told: Told) -> None:
    asked = ask(told.agreement_id, ADULT_SQL)
    quote = expect(stage.startup.post("/api/v1/queries/quote", asked), 200)
    price, read = f"{quote['quote_vnd']:,} đ", ", ".join(quote["lines"][0]["reads"])
    stage.tell(f"5. Báo giá / quote: {price} cho/for {quote['bytes']:,} bytes ({read})")
    asked |= {"quote_id": quote["id"], "max_vnd": quote["quote_vnd"]}
    query, rows = answer_to(stage, asked)
    told.query_id, told.charged_vnd = query["id"], query["charged_vnd"]
    stage.tell(f"6. Chạy / run: {query['rows']} dòng/rows, {query['charged_vnd']:,} đ")
    for row in rows[:4]:
        stage.tell("     " + "  ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row.values()))


def _wrong_purpose(stage: Stage, told: Told) -> None:
    problem = expect(stage.startup.post("/api/v1/queries", ask(told.agreement_id, ADULT_SQL, "product.rnd")), 403)
    codes = ", ".join(r["code"] for r in problem["reasons"])
    stage.tell(f"7. Sai mục đích → từ chối / wrong purpose → refused: {codes}")


def _withdrawal(stage: Stage, dataset_id: str) -> None:
    """A person takes back consent; the next answer is without that person's cohort."""
    agreement_id = agree(stage, dataset_id, "giay_phep_lai_xe", step="  ")
    before = _count(stage, agreement_id)
    for subject in _subjects(stage):
        event = {
            "dataset_id": dataset_id,
            "subject": subject,
            "purpose": PURPOSE,
            "event": "withdrawn",
            "at": _now(),
        }
        expect(stage.owner.post("/api/v1/consents/events", event), 200, 201)
        after = _count(stage, agreement_id)
        if after != before:
            stage.tell(f"8. Rút đồng ý / consent withdrawn: {before:,} → {after:,} người/persons")
            return
    raise StoryFailed("no withdrawal changed the answer")


def _citizen(stage: Stage, dataset_id: str) -> None:
    """A person signs in, sees what is held about her, and takes consent back herself: from the end of the list, as
    whoever tries it later begins with the first."""
    url = stage.owner.base_url
    for name in reversed(citizens_of(url)):
        citizen = sign_in(url, name)
        mine = expect(citizen.get("/api/v1/subject/datasets"), 200)["items"]
        purposes = {p["purpose"]: p["state"] for each in mine if each["dataset_id"] == dataset_id
                    for p in each["purposes"]}  # fmt: skip
        if purposes.get(PURPOSE) == "given":
            event = {"dataset_id": dataset_id, "purpose": PURPOSE, "event": "withdrawn", "at": _now()}
            receipt = expect(citizen.post("/api/v1/consents/events", event), 201)
            expect(citizen.post("/api/v1/subject/sign-out", {}), 204)
            stage.tell(f"   Công dân tự rút qua VNeID GIẢ / a citizen herself, FAKE VNeID: {receipt['id']}")
            return
    stage.tell("   Các công dân mẫu đều đã rút / all sample citizens have withdrawn before")


def _private(stage: Stage) -> None:
    """dp mode: persons are asked about, numbers have noise and spend a budget; asked again it is free."""
    agreement_id = agree(stage, publish(stage, demo_private.SLUG, None), demo_private.SLUG, step="9.")
    asked = ask(agreement_id, demo_private.SQL) | {"rho_micro": demo_private.RHO_MICRO}
    _, rows = answer_to(stage, asked)
    budget = expect(stage.startup.get(f"/api/v1/agreements/{agreement_id}/budget"), 200)
    for line in demo_private.told(rows, budget, stage.owner.base_url):
        stage.tell(line)


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _count(stage: Stage, agreement_id: str) -> int:
    _, rows = answer_to(stage, ask(agreement_id, LICENCE_SQL))
    return sum(int(row["so_nguoi"]) for row in rows)


def _subjects(stage: Stage) -> list[str]:
    """Persons of the register, another slice at each run, so that each run finds one who has not left."""
    with generated(stage.examples, stage.home).open(encoding="utf-8", newline="") as lines:
        keys = [row["so_gplx"] for _, row in zip(range(5000), csv.DictReader(lines), strict=False)]
    start = int(time.time()) % len(keys)
    return (keys[start:] + keys[:start])[:40]


def _statements(stage: Stage) -> None:
    wallet = expect(stage.startup.get("/api/v1/wallet"), 200)
    owner = expect(stage.owner.get("/api/v1/wallet"), 200)
    stage.tell(f"10. Doanh nghiệp còn / startup has {wallet['available_vnd']:,} đ; chủ dữ liệu / owner earned "
               f"{owner['balance_vnd']:,} đ")  # fmt: skip
    stage.tell(f"   Sổ cái / ledger: {command('ledger', 'reconcile')}")


def _prove(stage: Stage, told: Told) -> None:
    """Receipt of the query, verified by the offline verifier with the pinned key."""
    folder = stage.home / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    told.receipt = folder / "receipt.json"
    for _ in range(100):
        answer = stage.startup.get(f"/api/v1/queries/{told.query_id}/receipt")
        if answer.ok:
            break
        time.sleep(0.1)
    expect(answer, 200)
    told.receipt.write_bytes(answer.body)
    key = folder / "log.vkey"
    key.write_bytes(stage.startup.get("/api/v1/audit/key").body)
    told.checkpoint = stage.startup.get("/api/v1/audit/checkpoint").body.decode()
    command("audit", "verify", str(told.receipt), "--key", str(key))
    stage.tell(f"11. Biên nhận đã kiểm / receipt verified: {told.receipt}")
    events = expect(stage.regulator.get("/api/v1/audit/events"), 200)
    stage.tell(
        f"    Nhật ký / log: {len(events['items'])} sự kiện gần nhất / newest events, "
        "cơ quan quản lý đọc được / which the regulator may read"
    )
