"""OPA servers on which a file of rules can be changed, and what then answers otherwise than the sound rules.

Most of a trial is OPA's own compiling, so there is one server a document with nothing but its rules and what they
import, and the Rego's tests lie on another one that is asked only about what no case notices.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import urllib.parse
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from policies.answer import Said, canonical
from policies.gates import DOCUMENTS, annotated, cases_of
from policies.sources import FOLDER, data_files, rules
from tests.policies.cases import ALL, BASES, Case, question
from tests.policies.conftest import running
from tests.policies.mutants import Mutant

ANSWER_S = 120
KEYS = frozenset(Said.__struct_fields__)
FIRST = 24
"""So many cases are asked before all of them."""


def document_of(case: str) -> str:
    """access, agreement or listing."""
    schema: str = BASES[ALL[case][0]]["schema"]
    return schema.split("/", maxsplit=1)[0]


class Told(Struct, frozen=True, kw_only=True):
    """What the tests look at in a decision: of the obligations those that the case is about."""

    allow: bool
    denied: frozenset[str]
    reasons: tuple[bytes, ...]
    obligations: dict[str, Any]
    gates: frozenset[str]
    required: frozenset[str]


class Server:
    """Rules that can be changed, on one connection."""

    def __init__(self, url: str) -> None:
        self._line = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=ANSWER_S)

    def put(self, file: Path, source: str) -> bool:
        """Whether the rules compile with it."""
        name = urllib.parse.quote(str(file).lstrip("/"), safe="")
        return self._call("PUT", f"/v1/policies/{name}", source.encode()) is not None

    def ask(self, rule: str, body: bytes) -> Any:
        """None where rules contradict each other."""
        said = self._call("POST", f"/v1/data/every/{rule}", body)
        return None if said is None else msgspec.json.decode(said).get("result")

    def _call(self, method: str, path: str, body: bytes) -> bytes | None:
        self._line.request(method, path, body)
        answer = self._line.getresponse()
        content = answer.read()
        assert answer.status < 500 or b"eval" in content, content
        return content if answer.status == 200 else None


class Cases:
    """The cases of one document, those first that noticed the mutants before."""

    def __init__(self, server: Server, document: str, telling: dict[str, list[str]]) -> None:
        self.server = server
        self._of = {name: pair for name, pair in ALL.items() if document_of(name) == document}
        self._encoded = {name: canonical(question(base, case.change)) for name, (base, case) in self._of.items()}
        assert server.put(Path("every.rego"), _every_case(document))
        self._sound = self.decided()
        self._order = list(self._of)
        self._telling = telling

    def decided(self, names: Collection[str] | None = None) -> dict[str, Told | None]:
        """Of each case what it is about; None where the rules contradict each other."""
        names = self._of if names is None else names
        asked = b",".join(msgspec.json.encode(name) + b":" + self._encoded[name] for name in names)
        said = self.server.ask("decisions", b'{"input":{' + asked + b"}}") or {}
        return {name: _told(self._of[name][1], said.get(name)) for name in names}

    def is_sound(self) -> bool:
        """Whether it decides as it did at first."""
        return self.decided() == self._sound

    def notices(self, code: str) -> bool:
        """Whether a case is decided otherwise than by the sound rules. `code`: of the rule that was changed."""
        likely = self._telling.get(code, [])[: FIRST // 2]
        first = list(dict.fromkeys([*likely, *self._order]))[:FIRST]
        return self._differ(first) or self._differ([name for name in self._of if name not in first])

    def _differ(self, names: Sequence[str]) -> bool:
        now = self.decided(names)
        found = next((name for name in names if now[name] != self._sound[name]), None)
        if found is not None:
            self._order.remove(found)
            self._order.insert(0, found)
        return found is not None


class Tests:
    """The Rego's own tests."""

    __test__ = False

    def __init__(self, server: Server, files: Sequence[Path]) -> None:
        self._server = server
        assert server.put(Path("every.rego"), _every_test(files))
        self._sound = server.ask("tests", b"{}")

    def notice(self, mutant: Mutant) -> bool:
        """Whether one tells another thing, or does not compile; the sound file is put back."""
        told = self._server.put(mutant.file, mutant.source) and self._server.ask("tests", b"{}")
        assert self._server.put(mutant.file, mutant.file.read_text(encoding="utf-8"))
        return bool(told != self._sound)


class Bench:
    """All of the servers; that of the tests is started when it is first needed."""

    def __init__(self, cases: dict[str, Cases], tests: Callable[[], Tests]) -> None:
        self._cases = cases
        self._tests = tests

    def decided(self) -> dict[str, Told | None]:
        """Of every case."""
        return {name: told for cases in self._cases.values() for name, told in cases.decided().items()}

    def is_sound(self) -> bool:
        """Whether every case is decided as at first."""
        return all(cases.is_sound() for cases in self._cases.values())

    def tries(self, mutant: Mutant) -> bool | None:
        """Whether a case or a test notices it; None when it does not compile.

        What compiles with one document and not with another, or not with the tests, is noticed."""
        document = mutant.file.parent.name
        holding = [self._cases[document]] if document in self._cases else list(self._cases.values())
        if not holding[0].server.put(mutant.file, mutant.source):
            return None
        if holding[0].notices(mutant.code):
            return True
        others = (not cases.server.put(mutant.file, mutant.source) or cases.notices("") for cases in holding[1:])
        return any(others) or self._tests().notice(mutant)

    def mends(self, file: Path) -> None:
        """Put the sound file back where cases are asked."""
        for name, cases in self._cases.items():
            if file.parent.name in (name, *_imported()):
                assert cases.server.put(file, file.read_text(encoding="utf-8"))


@contextlib.contextmanager
def bench(opa: Path) -> Iterator[Bench]:
    """Servers with the sound rules."""
    with contextlib.ExitStack() as stack:

        def serve(files: Iterable[Path]) -> Server:
            return Server(stack.enter_context(running(opa, *files, *data_files(), ready="/health")).url)

        telling = _telling()
        cases = {name: Cases(serve(_needed(name)), name, telling[name]) for name in DOCUMENTS}
        tests = sorted(FOLDER.glob("*/*_test.rego"))
        yield Bench(cases, functools.cache(lambda: Tests(serve([*rules(), *tests]), tests)))


def _imported() -> frozenset[str]:
    return frozenset(path.parent.name for path in rules()) - frozenset(DOCUMENTS)


def _needed(document: str) -> list[Path]:
    return [path for path in rules() if path.parent.name in (document, *_imported())]


def _telling() -> dict[str, dict[str, list[str]]]:
    """Of each document: names of the cases that a change in the rule of a code is likely to touch."""
    found: dict[str, dict[str, list[str]]] = {document: {} for document in DOCUMENTS}
    for each in annotated():
        if each.is_denial or each.is_warning:
            for code in (each.custom.code, each.custom.gate or ""):
                found[each.document].setdefault(code, []).extend(cases_of(each.custom.code, each.document))
    return found


def _every_case(document: str) -> str:
    return f"""package every
decisions[name] := decision if {{
some name, asked in input
made := data.{document}.decision with input as asked
gates := data.{document}.gates with input as asked
required := data.{document}.required with input as asked
decision := {{"decision": made, "gates": gates, "required": required}}
}}"""


def _every_test(files: Sequence[Path]) -> str:
    lines = ["package every"]
    for package in (f"{path.parent.name}_test" for path in files):
        named = f'some name, held in data.{package}; startswith(name, "test_")'
        lines.append(f'tests[test] := held if {{ {named}; test := concat(".", ["{package}", name]) }}')
    return "\n".join(lines)


def _told(case: Case, said: Any) -> Told | None:
    """None, too, where it is no decision to the engines."""
    if said is None or said["decision"].keys() != KEYS:
        return None
    decision = said["decision"]
    owed = decision["obligations"] or {}
    return Told(
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
