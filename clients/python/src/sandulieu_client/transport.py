"""HTTP as the service speaks it: the token, problems as exceptions, and waiting when it is told to wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx

from sandulieu_client.errors import Busy, Language, Unreachable, error_of

PATIENCE_S = 60.0
"""How long a call waits in all while the service says that it is busy, or that what is asked for comes."""
_ATTEMPTS = 3
"""Times that a call is sent when the connection breaks: only calls that change nothing twice."""
_PAUSE_S = 0.5
_NOT_YET = "receipt.pending"
"""The log gives an event its leaf a moment after the answer is there."""


class Transport:
    """Calls one service with one token."""

    def __init__(self, base_url: str, token: str, *, language: Language, timeout_s: float,
                 patience_s: float = PATIENCE_S, sleep: Callable[[float], None] = time.sleep) -> None:  # fmt: skip
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": language} if token else {}
        self._http = httpx.Client(base_url=base_url, headers=headers, timeout=timeout_s)
        self._patience_s = patience_s
        self._sleep = sleep
        self.language = language

    def close(self) -> None:
        """Gives the connections back."""
        self._http.close()

    def get(self, path: str) -> Any:
        """JSON of a page."""
        return self._send("GET", path, repeatable=True).json()

    def fetch(self, path: str, media_type: str) -> bytes:
        """A body in that form."""
        return self._send("GET", path, repeatable=True, headers={"Accept": media_type}).content

    def lines(self, path: str, media_type: str, *, quiet_s: float) -> Iterator[str]:
        """Lines of a stream as they come, asked for once; none where what answers is not of that type.

        Raises httpx.HTTPError when it is refused, breaks, or is quiet for so long.
        """
        timeout = httpx.Timeout(quiet_s)
        with self._http.stream("GET", path, headers={"Accept": media_type}, timeout=timeout) as answer:
            answer.raise_for_status()
            if answer.headers.get("Content-Type", "").startswith(media_type):
                yield from answer.iter_lines()

    def post(self, path: str, body: Mapping[str, object], *, idempotency_key: str | None = None) -> Any:
        """JSON in, JSON out. With a key, the service does a repeated call once."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._send("POST", path, repeatable=idempotency_key is not None, headers=headers, json=body).json()

    def delete(self, path: str) -> None:
        """Asks for an end of something."""
        self._send("DELETE", path, repeatable=True)

    def _send(self, method: str, path: str, *, repeatable: bool, headers: Mapping[str, str] | None = None,
              json: object = None) -> httpx.Response:  # fmt: skip
        waited_s, broken = 0.0, 0
        while True:
            try:
                answer = self._http.request(method, path, headers=headers, json=json)
            except httpx.TransportError as error:
                broken += 1
                if not repeatable or broken >= _ATTEMPTS:
                    raise self._unreachable(error) from error
                self._sleep(_PAUSE_S * broken)
                continue
            if answer.has_redirect_location:
                raise self._moved(answer.headers["Location"])
            if answer.status_code < 400:
                return answer
            pause_s = _retry_after_s(answer)
            refused = error_of(answer.status_code, _problem(answer), language=self.language, retry_after_s=pause_s)
            waits = isinstance(refused, Busy) or refused.code == _NOT_YET
            if not waits or waited_s + pause_s > self._patience_s:
                raise refused
            self._sleep(pause_s)
            waited_s += pause_s

    def _moved(self, there: str) -> Unreachable:
        """The token goes nowhere but where it was given for."""
        words = {
            "vi": {"what": f"Dịch vụ {self._http.base_url} chuyển sang {there}.",
                   "next": "Hãy nêu đúng địa chỉ ấy khi kết nối."},
            "en": {"what": f"The service {self._http.base_url} leads to {there}.", "next": "Connect to that one."},
        }  # fmt: skip
        return Unreachable("service.moved", words, language=self.language)

    def _unreachable(self, error: httpx.TransportError) -> Unreachable:
        where = str(self._http.base_url)
        words = {
            "vi": {"what": f"Không gọi được dịch vụ {where}.", "next": "Kiểm tra địa chỉ và mạng rồi thử lại."},
            "en": {"what": f"The service {where} did not answer.", "next": "Check the address and the network."},
        }
        return Unreachable("service.unreachable", words, language=self.language, params={"error": str(error)})


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _retry_after_s(answer: httpx.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return max(float(text), _PAUSE_S) if text.replace(".", "", 1).isdigit() else _PAUSE_S
