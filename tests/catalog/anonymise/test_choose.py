"""From a file to a manifest with a scheme that `catalog check` accepts, through the real jails."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from catalog.anonymise.frontier import Choice, Frontier, Node
from catalog.anonymise.optimise import optimise
from catalog.anonymise.plot import plot
from catalog.anonymise.write import with_scheme
from catalog.check import check
from catalog.errors import PublicationRefused
from catalog.manifest import read_manifest
from catalog.transforms import Transform
from marketplace.cli.main import main
from tests.catalog.conftest import EXAMPLES, LIMITS
from tests.catalog.private import MANIFEST as PRIVATE
from tests.catalog.small import AGGREGATE_MANIFEST, people, write

MANIFEST = AGGREGATE_MANIFEST.replace("fallback: {drop: true}}", "transform: {hierarchy: vn_province, level: 1}}")
MANIFEST = MANIFEST.replace("transform: {clamp: [0, 50]}}", "transform: {clamp: [0, 50]}, bands: [5]}  # mỗi năm")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("small") / "small.csv", people())


@pytest.fixture(scope="module")
def frontier(file: Path) -> Frontier:
    return optimise(file, MANIFEST, limits=LIMITS, budget_ms=2_000)


def test_a_chosen_scheme_is_published_as_the_optimiser_said(file: Path, frontier: Frontier) -> None:
    best = frontier.nodes[0]
    text = with_scheme(MANIFEST, best)
    report = check(file, text, limits=LIMITS)
    assert report.version is not None
    assert report.version.left_out.persons == best.left_out_persons
    assert report.version.fine_share == pytest.approx(best.fine_share, abs=1e-6)
    assert frontier.proven
    assert frontier.persons == 240
    # The bands of a measure are the manifest's own: they stand fine, and are gone at the fallback.
    band = next(c for c in best.choices if c.column == "visits_band")
    assert band == Choice(column="visits_band", levels=(Transform(bins=(5.0,)), Transform(drop=True)))


def test_all_but_transforms_and_fallbacks_stays_as_it_was_written(frontier: Frontier) -> None:
    text = (EXAMPLES / "giay_phep_lai_xe" / "manifest.yaml").read_text(encoding="utf-8")
    manifest = read_manifest(text)
    chosen = [
        Choice(column="tinh", levels=(None, None, Transform(hierarchy="vn_province_region", level=2))),
        Choice(column="nhom_tuoi", levels=(Transform(bins=(40.0,)),) * 3),
        Choice(column="gioi_tinh", levels=(None, Transform(drop=True), None)),
        Choice(column="hang", levels=(Transform(groups={"Xe": ("A",)}, otherwise="Khác"), Transform(drop=True))),
        *(Choice(column=c.sql_name, levels=(c.transform, *c.fallbacks))
          for c in manifest.columns if c.sql_name == "nam_cap"),
    ]  # fmt: skip
    written = with_scheme(text, replace(frontier.nodes[0], choices=tuple(chosen)))
    after = read_manifest(written)
    for choice in chosen:
        column = next(c for c in after.columns if c.sql_name == choice.column)
        levels = [column.transform, *column.fallbacks]
        assert [*levels, *[levels[-1]] * (len(choice.levels) - len(levels))] == list(choice.levels)
    kept = re.compile(r"transform|fallback|groups|otherwise|: \[[A-D]")
    before_lines, after_lines = (
        [line for line in t.splitlines() if not kept.search(line)] for t in (text, written)
    )
    assert before_lines == after_lines
    same = replace(manifest, columns=())
    assert replace(after, columns=()) == same


def test_the_drawing_names_each_scheme_and_is_well_formed(frontier: Frontier) -> None:
    several = replace(frontier, nodes=tuple(
        replace(frontier.nodes[0], ncp=0.1 * i, risk=0.2 / 3**i) for i in range(1, 5)
    ))  # fmt: skip
    for one in (frontier, several, replace(several, measure="discernibility")):
        drawn = ElementTree.fromstring(plot(one))
        titles = [e.text or "" for e in drawn.iter("{http://www.w3.org/2000/svg}title")]
        assert [t.split(":")[0] for t in titles] == [str(i) for i in range(len(one.nodes))]
        circles = list(drawn.iter("{http://www.w3.org/2000/svg}circle"))
        assert all(0 < float(c.attrib["cx"]) < 460 and 0 < float(c.attrib["cy"]) < 312 for c in circles)
        assert len({c.attrib["cy"] for c in circles}) == len(one.nodes)


def test_the_command_writes_a_manifest_that_can_be_checked(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(MANIFEST, encoding="utf-8")
    drawing = tmp_path / "frontier.svg"
    command = ["catalog", "optimise", str(file), str(manifest), "--seconds", "1"]
    assert main([*command, "--choose", "0", "--plot", str(drawing)]) == 0
    said = capsys.readouterr()
    assert read_manifest(said.out).dataset == "small"
    assert "240 người/persons" in said.err
    assert drawing.read_text(encoding="utf-8").startswith("<svg")


def test_what_cannot_hold_or_has_nothing_to_choose_is_refused(file: Path) -> None:
    one_illness = [[*row[:2], "cúm", *row[3:]] for row in people()]
    with pytest.raises(PublicationRefused) as refused:
        optimise(write(file.with_name("one.csv"), one_illness), MANIFEST, limits=LIMITS, budget_ms=500)
    assert refused.value.code == "publication.no_scheme"
    with pytest.raises(PublicationRefused) as refused:
        optimise(file, PRIVATE, limits=LIMITS)
    assert refused.value.code == "publication.nothing_to_optimise"


def test_of_one_scheme_alone_the_axes_begin_at_nothing() -> None:
    one = Node(choices=(), k=10, l=None, t=None, risk=0.004, ncp=0.33, discernibility=1.0, classes=1,
               left_out_persons=0, left_out_share=0.0, fine_share=1.0)  # fmt: skip
    drawn = plot(Frontier(measure="ncp", nodes=(one,)))
    numbers = re.findall(r">(-?[0-9.,]+)</text>", drawn)
    assert len(numbers) > 4
    assert not [number for number in numbers if number.startswith("-")]
