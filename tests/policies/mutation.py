"""`make mutants`: which mutants of the rules the Rego's own tests and the cases do not notice.

One OPA server holds rules, tests and data; a mutant replaces its file there, and one question tries everything.
"""

from __future__ import annotations

import hashlib
import itertools
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from policies.answer import canonical
from policies.binaries import find
from policies.sources import ENTRYPOINTS, FOLDER, data_files, rules
from tests.policies.cases import ALL, Case, question
from tests.policies.conftest import running
from tests.policies.mutants import Mutant, mutants

ANSWER_S = 120
SURVIVORS = Path(__file__).with_name("survivors.json")


class Survivor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mutant that nothing notices, and why that is right."""

    mutant: str
    why: str


class Tried(Struct, frozen=True, kw_only=True):
    """`unfit`: what does not compile, which is no mutant."""

    killed: tuple[str, ...]
    survived: tuple[str, ...]
    unfit: tuple[str, ...]

    @property
    def share(self) -> float:
        """Killed of those that compile."""
        return len(self.killed) / max(1, len(self.killed) + len(self.survived))


def listed() -> dict[str, str]:
    """Why, by mutant."""
    return {each.mutant: each.why for each in msgspec.json.decode(SURVIVORS.read_bytes(), type=list[Survivor])}


def try_all(opa: Path, chosen: Sequence[Mutant]) -> Tried:
    """Each in turn, on a server of their own."""
    tests = sorted(FOLDER.glob("*/*_test.rego"))
    with running(opa, *rules(), *tests, *data_files(), ready="/health") as server:
        bench = Bench(server.url, tests)
        told: dict[str, list[str]] = {"killed": [], "survived": [], "unfit": []}
        for file, mutants_of_it in itertools.groupby(chosen, key=lambda mutant: mutant.file):
            for mutant in mutants_of_it:
                fit = bench.put(mutant.file, mutant.source)
                told["unfit" if not fit else "killed" if bench.notices() else "survived"].append(mutant.name)
            assert bench.put(file, file.read_text(encoding="utf-8"))
        assert not bench.notices()
    return Tried(**{kind: tuple(names) for kind, names in told.items()})


class Told(Struct, frozen=True, kw_only=True):
    """What the tests look at in a decision: of the obligations those that the case is about."""

    document: str
    allow: bool
    denied: frozenset[str]
    reasons: tuple[bytes, ...]
    obligations: dict[str, Any]
    gates: frozenset[str]
    required: frozenset[str]


class Bench:
    """A server on which a file of rules can be changed, and everything be asked at once."""

    def __init__(self, url: str, tests: Sequence[Path]) -> None:
        self._url = url
        asked = {
            name: msgspec.json.decode(canonical(question(base, case.change))) for name, (base, case) in ALL.items()
        }
        self._input = msgspec.json.encode({"input": asked})
        assert self.put(Path("every.rego"), _every(tests))
        self._sound_tests, self._sound_cases = self._tests(), self.decided()

    def put(self, file: Path, source: str) -> bool:
        """Whether the rules compile with it."""
        name = urllib.parse.quote(str(file).lstrip("/"), safe="")
        try:
            self._call("PUT", f"/v1/policies/{name}", source.encode())
        except urllib.error.HTTPError:
            return False
        return True

    def notices(self) -> bool:
        """Whether a test of the rules, or else a case, tells another thing than of the sound rules."""
        return self._tests() != self._sound_tests or self.decided() != self._sound_cases

    def decided(self) -> dict[str, Told | None]:
        """Of each case what it is about; None where the rules contradict each other."""
        said = self._ask("decisions", self._input) or {}
        return {name: _told(case, said[name]) if name in said else None for name, (_, case) in ALL.items()}

    def _tests(self) -> Any:
        return self._ask("tests", b"{}")

    def _ask(self, rule: str, body: bytes) -> Any:
        """None where rules contradict each other."""
        try:
            return msgspec.json.decode(self._call("POST", f"/v1/data/every/{rule}", body)).get("result")
        except urllib.error.HTTPError:
            return None

    def _call(self, method: str, path: str, body: bytes) -> bytes:
        request = urllib.request.Request(self._url + path, data=body, method=method)
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
            content: bytes = answer.read()
            return content


def _every(tests: Sequence[Path]) -> str:
    """A package that asks all cases and collects what the tests give."""
    lines = ["package every"]
    for entrypoint in ENTRYPOINTS:
        package, rule = entrypoint.split("/")
        lines += [
            "decisions[name] := decision if {",
            f'some name, asked in input; startswith(asked.schema, "{package}/")',
            f"made := data.{package}.{rule} with input as asked",
            f"gates := data.{package}.gates with input as asked",
            f"required := data.{package}.required with input as asked",
            f'decision := {{"document": "{package}", "decision": made, "gates": gates, "required": required}}',
            "}",
        ]
    for package in (f"{path.parent.name}_test" for path in tests):
        named = f'some name, held in data.{package}; startswith(name, "test_")'
        lines.append(f'tests[test] := held if {{ {named}; test := concat(".", ["{package}", name]) }}')
    return "\n".join(lines)


def _told(case: Case, said: Any) -> Told:
    decision = said["decision"]
    owed = decision["obligations"] or {}
    return Told(
        document=said["document"],
        allow=decision["allow"],
        denied=frozenset(r.get("code", "") for r in decision["reasons"] if r.get("severity") == "deny"),
        reasons=tuple(sorted(map(_named, decision["reasons"]))),
        obligations={key: owed.get(key) for key in case.obligations},
        gates=frozenset(said["gates"]),
        required=frozenset(said["required"]),
    )


def _named(reason: Any) -> bytes:
    """A reason, of its parameters only the names: texts need those."""
    return msgspec.json.encode(reason | {"params": sorted(reason.get("params", ()))}, order="deterministic")


def bucket(chosen: Sequence[Mutant], number: int, of: int) -> list[Mutant]:
    """One of `of` parts of about the same size. A mutant stays in its part whatever changes elsewhere."""
    return [m for m in chosen if int.from_bytes(hashlib.sha256(m.name.encode()).digest()[:8]) % of == number]


def main(arguments: list[str]) -> int:
    """0 when just those survive that are listed, 1 otherwise. `NUMBER OF`: only that part of all."""
    found = find("opa")
    if found is None:
        print("no OPA: python tools/fetch.py opa", file=sys.stderr)
        return 1
    began = time.monotonic()
    every = mutants(found.path)
    chosen = bucket(every, int(arguments[0]), int(arguments[1])) if arguments else every
    tried = try_all(found.path, chosen)
    print(f"{len(tried.killed)} killed, {len(tried.survived)} survived: {tried.share:.1%}", end="; ")
    print(f"{len(tried.unfit)} do not compile; {time.monotonic() - began:.0f} s")
    drawn = {mutant.name for mutant in chosen}
    known = drawn & set(listed())
    for name in sorted(set(tried.survived) ^ known):
        print(f"{'not noticed' if name in tried.survived else 'noticed now, listed'}: {name}")
    return 0 if set(tried.survived) == known else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
