"""What the scenes of the demo's story have in common: who speaks, and what each of them asks again and again."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from marketplace.cli.client import Answer, Client
from marketplace.cli.demo_parties import Parties

PURPOSE = "research.academic"
REGISTER = "giay_phep_lai_xe"


class StoryFailed(Exception):
    """A step did not go as the story tells."""


@dataclass(frozen=True)
class Stage:
    """Who speaks, where things lie, and how to tell it."""

    owner: Client
    startup: Client
    regulator: Client
    operator: Client
    parties: Parties
    examples: Path
    home: Path
    tell: Callable[[str], None]


def expect(answer: Answer, *statuses: int) -> Any:
    """The answer's JSON if its status is one of these. Raises StoryFailed with what came instead."""
    if answer.status not in statuses:
        raise StoryFailed(f"HTTP {answer.status}: {answer.body[:2000].decode(errors='replace')}")
    return answer.json() if answer.body else None


def generated(examples: Path, home: Path, slug: str = REGISTER) -> Path:
    """A synthetic file of the examples, generated once a home."""
    file = home / "demo" / f"{slug}.csv"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        script = examples / slug / "generate.py"
        subprocess.run([sys.executable, str(script), str(file)], check=True)
    return file


def publish(stage: Stage, slug: str, name: str | None) -> str:
    """The dataset's id; a dataset that this home already has is not published again."""
    known = stage.owner.get(f"/api/v1/datasets/{slug}")
    began = time.monotonic()
    if not known.ok:
        folder = stage.examples / slug
        file = folder / name if name else generated(stage.examples, stage.home, slug)
        stage.tell(f"2. Công bố / publish {slug} …")
        expect(stage.owner.upload("/api/v1/datasets", manifest=folder / "manifest.yaml", file=file), 201)
        known = stage.owner.get(f"/api/v1/datasets/{slug}")
    data = expect(known, 200)
    version = data["version"]
    stage.tell(f"   {slug}: {_told_of(data['mode'], version)} ({time.monotonic() - began:.1f} s)")
    return str(data["id"])


def _told_of(mode: str, version: dict[str, Any]) -> str:
    if mode == "dp":
        return f"nhiều nhất/at most {version['persons']:,} người/persons, trả lời có nhiễu/answered with noise"
    measured = version["measured"]
    return (
        f"{version['persons']:,} người/persons, {version['cohorts']:,} nhóm/cohorts, "
        f"k={measured['k']}, ℓ={measured['l']}, chi tiết/fine {version['fine_share']:.1%}, "
        f"loại/left out {version['left_out']['share']:.2%}"
    )


def agree(stage: Stage, dataset_id: str, slug: str, *, step: str) -> str:
    """An agreement in force for the story's purpose: an earlier one, or applied for and accepted now."""
    for agreement in expect(stage.startup.get("/api/v1/agreements"), 200)["items"]:
        if agreement["dataset_id"] == dataset_id and agreement["state"] == "in_force":
            stage.tell(f"{step} Hợp đồng còn hiệu lực / agreement in force: {slug}")
            return str(agreement["id"])
    analyst = stage.parties.of("startup")
    body = {
        "purpose": PURPOSE,
        "justification": "Nghiên cứu thống kê cho bản trình diễn: chỉ số liệu gộp, không tái định danh.",
        "duration_days": 30,
        "people": [str(analyst.person_id)],
    }
    application = expect(stage.startup.post(f"/api/v1/datasets/{dataset_id}/applications", body), 201)
    decision = {
        "decision": "accept",
        "reason": "Mục đích phù hợp.",
        "expires_at": (datetime.now(UTC) + timedelta(days=29)).isoformat(),
    }
    accepted = expect(stage.owner.post(f"/api/v1/applications/{application['id']}/decision", decision), 200, 201)
    stage.tell(f"{step} Đề nghị → hợp đồng / application → agreement: {slug}, {PURPOSE}")
    return str(accepted["agreement_id"])


def ask(agreement_id: str, sql: str, purpose: str = PURPOSE) -> dict[str, Any]:
    """A question's body."""
    return {"agreement_ids": [agreement_id], "purpose": purpose, "sql": sql, "wait_s": 30}


def answer_to(stage: Stage, asked: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The query, and its rows. Raises StoryFailed for one that is not ready."""
    query = expect(stage.startup.post("/api/v1/queries", asked, idempotency_key=str(uuid.uuid4())), 201)
    if query["state"] != "ready":
        raise StoryFailed(json.dumps(query, ensure_ascii=False))
    return query, expect(stage.startup.get(f"/api/v1/queries/{query['id']}/result"), 200)


def command(*arguments: str) -> str:
    """What `sandulieu` says. Raises StoryFailed where it refuses."""
    command = [sys.executable, "-m", "marketplace.cli.main", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StoryFailed(done.stdout + done.stderr)
    return done.stdout.strip()
