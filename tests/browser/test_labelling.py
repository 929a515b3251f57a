"""A narrow page shows a row as a card: each cell says of which column it is."""

from __future__ import annotations

from markupsafe import Markup

from marketplace.web.labelling import labelled

HEADS = ("Tên <b>bộ</b>", 'A &amp; "B"', "C")
HEAD = f"<thead><tr>{''.join(f'<th>{each}</th>' for each in HEADS)}</tr></thead>"


def test_each_cell_carries_the_name_of_its_column() -> None:
    row = '<tr><th scope="row">x</th><td class="number">1</td><td>–</td></tr>'
    shown = labelled(Markup(f"{HEAD}<tbody>{row}{row}</tbody>"))
    assert shown.startswith(HEAD)
    assert shown.count('<th scope="row" data-label="Tên bộ">x') == 2
    assert shown.count('<td class="number" data-label="A &amp; &#34;B&#34;">1') == 2
    assert shown.count('<td class="nothing" data-label="C">–') == 2


def test_a_cell_over_two_columns_moves_the_names_on() -> None:
    shown = labelled(Markup(f'{HEAD}<tbody><tr><td colspan="2">x</td><td class="code"></td></tr></tbody>'))
    assert '<td colspan="2" data-label="Tên bộ">x' in shown
    assert '<td class="code nothing" data-label="C"></td>' in shown


def test_what_is_not_markup_becomes_none() -> None:
    assert labelled("<tr><td>x</td></tr>") == "&lt;tr&gt;&lt;td&gt;x&lt;/td&gt;&lt;/tr&gt;"  # type: ignore[arg-type]
