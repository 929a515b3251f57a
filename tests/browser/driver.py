"""A real Chromium, driven through chromedriver by the W3C WebDriver protocol: plain JSON over HTTP."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The protocol's name for a reference to an element."""
WAIT_S = 20.0


class Browser:
    """One window. Selectors are CSS."""

    def __init__(self, http: httpx.Client, session: str) -> None:
        self._http = http
        self._base = f"/session/{session}"

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._http.request(method, self._base + path, json=body if method == "POST" else None)
        value = answer.json()["value"]
        assert answer.is_success, value
        return value

    def go(self, url: str) -> None:
        """Open an address and wait until it is loaded."""
        self._call("POST", "/url", {"url": url})

    @property
    def url(self) -> str:
        return str(self._call("GET", "/url"))

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script returns, run in the page."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script: str, *arguments: Any) -> Any:
        """What a script gives to its last argument, a callback."""
        return self._call("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def find(self, selector: str) -> str:
        """The first element that matches, waited for."""
        until = time.monotonic() + WAIT_S
        while not (found := self._all(selector)):
            assert time.monotonic() < until, f"no {selector} at {self.url}: {self.text('body')[:2000]}"
            time.sleep(0.05)
        return found[0]

    def has(self, selector: str) -> bool:
        """Whether an element is there now."""
        return bool(self._all(selector))

    def _all(self, selector: str) -> list[str]:
        found = self._call("POST", "/elements", {"using": "css selector", "value": selector})
        return [one[ELEMENT] for one in found]

    def click(self, selector: str) -> None:
        self._call("POST", f"/element/{self.find(selector)}/click", {})

    def type(self, selector: str, text: str, *, clear: bool = True) -> None:
        """Keys, as a person would press them."""
        element = self.find(selector)
        if clear:
            self._call("POST", f"/element/{element}/clear", {})
        self._call("POST", f"/element/{element}/value", {"text": text})

    def text(self, selector: str) -> str:
        """What a reader sees of an element."""
        return str(self._call("GET", f"/element/{self.find(selector)}/text"))

    def wait_text(self, selector: str, wanted: str) -> str:
        """The element's text once it holds `wanted`; read in one step, for the page may be replaced meanwhile."""
        read = "return document.querySelector(arguments[0])?.innerText ?? ''"
        until = time.monotonic() + WAIT_S
        while wanted not in (seen := str(self.run(read, selector))):
            assert time.monotonic() < until, f"{wanted!r} not in {seen[:2000]!r}"
            time.sleep(0.1)
        return seen

    def picture(self, file: Path) -> None:
        """A PNG of the whole page."""
        height = self.run("return document.documentElement.scrollHeight")
        width = self.run("return document.documentElement.clientWidth")
        shot = {"format": "png", "captureBeyondViewport": True,
                "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}}  # fmt: skip
        data = self._call("POST", "/goog/cdp/execute", {"cmd": "Page.captureScreenshot", "params": shot})
        file.write_bytes(base64.b64decode(data["data"]))

    def errors(self) -> list[str]:
        """What the browser complained about since the last call: scripts, policy violations, missing files."""
        return [line["message"] for line in self._call("POST", "/se/log", {"type": "browser"})]

    def forget(self) -> None:
        """Every cookie of the page goes, as when a session ends."""
        self._call("DELETE", "/cookie")

    def renew(self) -> None:
        """A new window that knows nothing of what was done in the one before."""
        for command in ("Network.clearBrowserCookies", "Network.clearBrowserCache"):
            self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": {}})
        made = self._call("POST", "/window/new", {"type": "window"})["handle"]
        self._call("DELETE", "/window")
        self._call("POST", "/window", {"handle": made})
        self.errors()

    def close(self) -> None:
        self._call("DELETE", "")


def chromium() -> tuple[str, str]:
    """Paths of Chromium and chromedriver. Skips where they are missing, fails in CI."""
    found = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if found[0] and found[1]:
        return found[0], found[1]
    missing = "Chromium or chromedriver is missing: apt-get install chromium chromium-driver"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


@contextmanager
def open_browser(*, width: int = 1440, height: int = 900) -> Iterator[Browser]:
    """A fresh headless window of that many CSS pixels, closed after the block."""
    binary, driver = chromium()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([driver, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            browser = Browser(http, _session(http, binary, width, height))
            yield browser
            browser.close()
    finally:
        process.terminate()
        process.wait(timeout=20)


def _session(http: httpx.Client, binary: str, width: int, height: int) -> str:
    arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    options = {
        "binary": binary,
        "args": arguments,
        "mobileEmulation": {"deviceMetrics": {"width": width, "height": height, "pixelRatio": 1, "touch": False}},
    }
    wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
    until = time.monotonic() + WAIT_S
    while True:
        try:
            answer = http.post("/session", json={"capabilities": {"alwaysMatch": wanted}})
        except httpx.TransportError:
            assert time.monotonic() < until, "chromedriver does not answer"
            time.sleep(0.1)
            continue
        assert answer.is_success, answer.text
        return str(answer.json()["value"]["sessionId"])
