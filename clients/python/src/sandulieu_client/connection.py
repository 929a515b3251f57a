"""A connection to one service with one token."""

from __future__ import annotations

import locale
import os
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from sandulieu_client.errors import Language, SandulieuError, Words
from sandulieu_client.question import Question
from sandulieu_client.transport import PATIENCE_S, Transport

_HERE = "http://127.0.0.1:8080"


@dataclass(frozen=True)
class Connection:
    """What may be asked at one service. Usable in `with`."""

    transport: Transport

    def query(self, sql: str, *, agreement: str | Sequence[str] | None = None, purpose: str | None = None,
              max_vnd: int | None = None, rho_micro: int | None = None,
              progress: bool | None = None) -> Question:  # fmt: skip
        """A question; nothing is asked yet. `agreement`: one for each dataset that the SQL reads.

        Without an agreement the only one in force is taken, without a purpose that of the first agreement.
        `max_vnd`: above it nothing runs. `rho_micro`: what to spend of the budget, in dp mode. `progress`: None
        shows it in notebooks and terminals.
        """
        agreements = [agreement] if isinstance(agreement, str) else list(agreement or ())
        if not agreements or purpose is None:
            agreements, purpose = self._completed(agreements, purpose)
        body: dict[str, Any] = {"agreement_ids": agreements, "purpose": purpose, "sql": sql}
        if rho_micro is not None:
            body["rho_micro"] = rho_micro
        return Question(self.transport, body, max_vnd=max_vnd, show_progress=progress)

    def agreements(self) -> list[dict[str, Any]]:
        """The organisation's agreements in force, newest first."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.transport.get(f"/api/v1/agreements{cursor}")
            found += [one for one in page["items"] if one["state"] == "in_force"]
            if not page.get("next"):
                return found
            cursor = f"?cursor={page['next']}"

    def close(self) -> None:
        """Gives the connections back."""
        self.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:  # fmt: skip
        self.close()

    def _completed(self, agreements: list[str], purpose: str | None) -> tuple[list[str], str]:
        there = self.agreements()
        if not agreements:
            if len(there) != 1:
                raise self._which(there)
            agreements = [there[0]["id"]]
        first = next((one for one in there if one["id"] == agreements[0]), None)
        return agreements, purpose or (first["purpose"] if first else "")

    def _which(self, there: list[dict[str, Any]]) -> SandulieuError:
        named = ", ".join(f"{one['dataset_slug']}: {one['id']}" for one in there)
        words = {
            "vi": {
                "what": f"Có {len(there)} hợp đồng đang hiệu lực.",
                "why": named,
                "next": "Hãy nêu agreement=.",
            },
            "en": {
                "what": f"There are {len(there)} agreements in force.",
                "why": named,
                "next": "Say which: agreement=.",
            },
        }
        return SandulieuError("agreement.which", words, language=self.transport.language)


def connect(url: str | None = None, token: str | None = None, *, language: Language | None = None,
            timeout_s: float = 60, patience_s: float = PATIENCE_S) -> Connection:  # fmt: skip
    """A connection; url and token else come from SANDULIEU_URL and SANDULIEU_TOKEN. Raises SandulieuError for an
    address without https:// or http://.

    `language`: of messages, "vi" or "en", else the locale's. `patience_s`: how long to wait for a busy service.
    """
    spoken = language or ("en" if (locale.getlocale()[0] or "").startswith("en") else "vi")
    where = url or os.environ.get("SANDULIEU_URL", _HERE)
    if not where.startswith(("http://", "https://")):
        raise SandulieuError("service.address", _address_words(where), language=spoken)
    return Connection(Transport(
        where, token or os.environ.get("SANDULIEU_TOKEN", ""),
        language=spoken, timeout_s=timeout_s, patience_s=patience_s,
    ))  # fmt: skip


def _address_words(where: str) -> Words:
    return {
        "vi": {"what": f"{where} không phải là địa chỉ.", "next": "Hãy bắt đầu bằng https:// hoặc http://."},
        "en": {"what": f"{where} is no address.", "next": "Begin with https:// or http://."},
    }
