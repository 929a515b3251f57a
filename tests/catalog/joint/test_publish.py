"""Two halves become one version: who is in it, what of each is in it, and what neither owner gets to know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from catalog.errors import PublicationRefused
from catalog.jailed import anonymise
from catalog.joint.publish import publish_joint
from catalog.joint.retelling import band_of
from catalog.storage import Store
from catalog.version import Version
from catalog.wire import AnonymiseReply
from tests.attack.attacks import lying
from tests.catalog.conftest import LIMITS, pseudonymise
from tests.catalog.joint.halves import BANK, CLINIC, LEAD, PARTNER, Pair, clients, patients
from tests.catalog.plain import in_process
from tests.catalog.small import Row, said

MAKE = "catalog.jailed.anonymise:main"
BOTH = range(50, 150)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """The jails' programs as functions; `tests/marketplace/linkages/test_walk.py` goes through real ones."""
    with in_process():
        yield Pair(tmp_path)


def asked(store: Store, version: Version, sql: str) -> list[tuple[Any, ...]]:
    parts = [str(store.public(version.id) / p.name) for p in version.parts]
    return duckdb.execute(sql.format(f"read_parquet({parts!r})")).fetchall()


def test_those_in_both_files_meet_with_what_each_owner_knows_of_them(pair: Pair) -> None:
    joint = pair.join(patients(range(150)), clients(range(50, 200)))
    expected: dict[tuple[str, str], list[int]] = {}
    known = {row[0]: row for row in clients(BOTH)}
    for row in patients(BOTH):
        sums = expected.setdefault((row[1], known[row[0]][1]), [0, 0, 0])
        for place, amount in enumerate((1, int(row[3]), int(known[row[0]][2]))):
            sums[place] += amount
    version = joint.publication.version
    found = asked(pair.store, version, "select place, job, sum(n), sum(visits__sum), sum(income__sum) from {} "
                                       "group by all")  # fmt: skip
    assert {(r[0], r[1]): [int(v) for v in r[2:]] for r in found} == expected
    assert [c.name for c in version.columns] == ["place", "visits", "job", "income"]
    assert version.measured.k >= 5
    assert (joint.joined.at_least, joint.joined.below) == (100, 200)


def test_no_jail_sees_a_name_or_anybody_who_is_in_one_file_only(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = [*patients(range(150)), ["P09999", "Cà Mau", "hủi", "7", "có", "có"]]
    theirs = [*clients(range(50, 200)), ["P08888", "vua", "99", "có", "có"]]
    lead, partner = pair.send(LEAD, ours), pair.send(PARTNER, theirs)
    seen: list[bytes] = []
    with in_process() as run:

        def watched(entry: str, payload: bytes, inputs: list[int], **more: Any) -> Any:
            seen.extend(Path(f"/proc/self/fd/{each}").read_bytes() for each in inputs)
            return run(entry, payload, inputs, **more)

        monkeypatch.setattr("catalog.making.run_once", watched)
        joint = publish_joint(
            lead, partner, purposes=("product.rnd",), store=pair.store, consents=None,
            previous=None, limits=LIMITS,
        )  # fmt: skip
    assert joint.publication.version.persons == 100
    whole = b"".join(seen)
    assert "Huế".encode() in whole
    for word in ("Cà Mau", "hủi", "vua", "P00060"):
        assert word.encode() not in whole
    assert not any(name in whole for name in pseudonymise([f"P{i:05d}" for i in BOTH]))


def test_fewer_than_k_in_both_are_refused_and_leave_nothing(pair: Pair) -> None:
    with pytest.raises(PublicationRefused) as refused:
        pair.join(patients(range(54)), clients(range(50, 200)))
    assert (refused.value.code, refused.value.params) == ("publication.joint_too_few", {"k": 5})
    for name in ("versions", "private", "incoming"):
        assert not any((pair.store.root / name).iterdir())


def test_a_refusal_tells_no_figure_of_those_who_are_in_both(pair: Pair) -> None:
    pair.bank = BANK.replace(", fallback: {drop: true}", "")
    theirs = [[key, f"nghề {i}", *more] for i, (key, _, *more) in enumerate(clients(range(50, 200)))]
    with pytest.raises(PublicationRefused) as refused:
        pair.join(patients(range(150)), theirs)
    told = {"cause": "publication.too_identifying", "column": "job", "k": 5, "l": 2}
    assert (refused.value.code, refused.value.params) == ("publication.joint_not_formed", told)


@pytest.mark.parametrize(("persons", "k", "band"), [
    (5, 5, (5, 10)), (9, 5, (5, 10)), (57, 10, (50, 60)), (57, 20, (40, 60)), (199, 10, (100, 200)),
    (12_345, 10, (10_000, 20_000)),
])  # fmt: skip
def test_how_many_are_in_both_is_told_in_bands_of_k_or_more(persons: int, k: int, band: tuple[int, int]) -> None:
    told = band_of(persons, k)
    assert (told.at_least, told.below) == band
    assert told.below - told.at_least >= k


class TestConsent:
    def test_is_needed_at_both_owners(self, pair: Pair) -> None:
        ours = [[*row[:4], "không" if i % 2 else "có", "không"] for i, row in enumerate(patients(range(150)))]
        joint = pair.join(ours, clients(range(50, 200)))
        assert {p.consented for p in joint.publication.version.parts} == {("research.academic",)}
        assert joint.publication.version.persons == 50

    def test_is_asked_of_the_owner_alone_whose_basis_it_is(self, pair: Pair) -> None:
        consent = "consent: {research.academic: study, product.rnd: product}\n"
        pair.bank = BANK.replace("{kind: consent, law: test}", "{kind: contract, law: test}").replace(consent, "")
        theirs = [[*row[:3], "không", "không"] for row in clients(range(50, 200))]
        version = pair.join(patients(range(150)), theirs).publication.version
        assert (version.persons, version.legal_basis) == (100, "consent")

    def test_taken_back_takes_the_person_out_whatever_the_files_say(self, pair: Pair) -> None:
        gone = frozenset(pseudonymise([f"P{i:05d}" for i in range(50, 60)]))

        withdrawn = said(withdrawn={"research.academic": gone, "product.rnd": gone})
        version = pair.join(patients(range(150)), clients(range(50, 200)), consents=withdrawn).publication.version
        assert version.persons == 90


class TestBetweenVersions:
    """One owner changes its half to learn of a person in the other's: nothing moves but k persons at once."""

    def released(self, pair: Pair, ours: list[Row], theirs: list[Row], previous: str) -> tuple[int, set[Any]]:
        version = pair.join(ours, theirs, previous=previous).publication.version
        cells = asked(pair.store, version, "select place, job, n, visits__sum, income__sum from {}")
        return version.persons, set(cells)

    def test_one_person_more_or_less_in_one_half_shows_as_none_or_k(self, pair: Pair) -> None:
        ours, theirs = patients(range(150)), clients(range(50, 200))
        first = pair.join(ours, theirs).publication.version
        before = set(asked(pair.store, first, "select place, job, n, visits__sum, income__sum from {}"))
        more = self.released(pair, patients(range(151)), theirs, first.id)
        assert more == (100, before)
        persons, cells = self.released(pair, [row for row in ours if row[0] != "P00077"], theirs, first.id)
        assert cells < before
        assert 5 <= 100 - persons < 10
        share = pair.join(patients(range(151)), theirs, previous=first.id).publication.version.left_out
        assert (share.persons, share.classes, share.share) == (0, 0, 0.0)

    def test_k_alike_who_came_are_shown(self, pair: Pair) -> None:
        first = pair.join(patients(range(150)), clients(range(50, 200))).publication.version
        later = pair.join(patients(range(170)), clients(range(50, 200)), previous=first.id).publication.version
        assert later.persons == 120


class TestAJailThatLies:
    def test_about_what_became_of_a_cohort_is_found(self, pair: Pair) -> None:
        """Classes of nine: the eight who are left look like a cohort."""
        first = pair.join(patients(range(86)), clients(range(50, 200))).publication.version
        instead = {
            MAKE: f"{lying.__name__}:carry_the_rest",
            "catalog.jailed.measure:main": f"{lying.__name__}:agree",
        }
        with in_process(instead), pytest.raises(PublicationRefused) as refused:
            pair.join(patients(range(86)), clients([*range(50, 77), *range(78, 200)]), previous=first.id)
        assert refused.value.code == "publication.joint_not_formed"
        assert refused.value.params["cause"] == "publication.promise_broken"

    def test_in_its_report_is_not_listened_to(self, pair: Pair) -> None:
        """The report is shown to everybody: it would carry one owner's persons to the other."""
        honest = pair.join(patients(range(150)), clients(range(50, 200))).publication
        with in_process({MAKE: f"{__name__}:report_persons"}):
            lied = pair.join(patients(range(150)), clients(range(50, 200))).publication
        left_as_it_is = {"id": "", "created_at_ms": 0}
        assert msgspec.structs.replace(lied.version, **left_as_it_is) == msgspec.structs.replace(
            honest.version, **left_as_it_is
        )
        assert lied.sample == honest.sample == []

    def test_in_its_refusal_is_not_listened_to(self, pair: Pair) -> None:
        with in_process({MAKE: f"{__name__}:refuse_with_persons"}), pytest.raises(PublicationRefused) as refused:
            pair.join(patients(range(150)), clients(range(50, 200)))
        told = {"cause": "publication.not_whole", "column": "—", "k": 5, "l": 2}
        assert (refused.value.code, refused.value.params) == ("publication.joint_not_formed", told)


def report_persons(payload: bytes, inputs: list[int], output: Any) -> bytes:
    """The real work, and a report that gives persons away."""
    reply = msgspec.msgpack.decode(anonymise.main(payload, inputs, output), type=AnonymiseReply)
    return msgspec.msgpack.encode(msgspec.structs.replace(
        reply, types={"job": "P00077 sởi"}, logical_bytes=dict.fromkeys(reply.logical_bytes, 77), fine_persons=77,
        left_out_persons=77, left_out_classes=77, without_consent=77, rare_values_blanked=77,
        sample=[{"place": "P00077", "income": 17}],
    ))  # fmt: skip


def refuse_with_persons(payload: bytes, inputs: list[int], output: Any) -> bytes:
    """A refusal in words of its own."""
    refusal = {"code": "P00077", "params": {"column": "sởi", "persons": 77}}
    return msgspec.msgpack.encode({"refusal": refusal})


def test_rows_mode_shows_sensitive_values_of_one_owner_beside_the_others_classes(pair: Pair) -> None:
    visits = CLINIC[CLINIC.index("  - {name: visits") :]
    pair.clinic = CLINIC.replace("mode: aggregate", "mode: rows").replace(visits, "")
    pair.bank = BANK[: BANK.index("  - {name: income")].replace("mode: aggregate", "mode: rows")
    version = pair.join(patients(range(150)), clients(range(50, 200))).publication.version
    assert [c.name for c in version.columns] == ["place", "illness", "job"]
    assert version.rows == version.persons == 100
