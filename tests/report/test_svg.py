"""Charts are well-formed, escape what comes from data, and refer to nothing outside."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree, html

from datatools.core.result import Table
from datatools.report import page, svg
from datatools.report.scale import Axis, ticks

NASTY = '<script>alert(1)</script>"&\x1b[31m\n名'
SVG = "{http://www.w3.org/2000/svg}"


def parsed(chart: str) -> etree._Element:
    return etree.fromstring(svg.document(chart), etree.XMLParser(resolve_entities=False))


CHARTS = {
    "bars": svg.bars([NASTY, "b"], {NASTY: [3, 0], "val": [1, 2]}, title=NASTY, label=NASTY),
    "histogram": svg.histogram([1, 10, 100], [4, 5], title=NASTY, label=NASTY, log=True, rules=[(5, NASTY)]),
    "heat map": svg.heat_map([[1, 2], [0, 4]], title=NASTY, rows=[NASTY, "b"], columns=["a", NASTY]),
    "plot": svg.plot(
        [svg.Points([(1, 2)], NASTY), svg.Line([(0, 0), (1, 1)], NASTY), svg.Points([(1, 1)], NASTY, cross=True)],
        Axis(NASTY),
        Axis(NASTY),
        title=NASTY,
    ),
    "empty bars": svg.bars([], {"": []}),
    "empty histogram": svg.histogram([], []),
    "empty heat map": svg.heat_map([]),
    "empty plot": svg.plot([], Axis(), Axis()),
}


@pytest.mark.parametrize("name", CHARTS)
def test_charts_are_whole_and_harmless(name):
    root = parsed(CHARTS[name])
    assert root.tag == SVG + "svg"
    assert not root.findall(f".//{SVG}script")
    text = CHARTS[name]
    assert "<script" not in text
    assert "\x1b" not in text
    assert "://" not in text
    assert "nan" not in text
    assert "inf" not in re.sub(r"<title>.*?</title>", "", text)


def test_bars_are_as_long_as_their_values():
    root = parsed(svg.bars(["a", "b"], {"": [10, 5]}))
    lengths = [float(r.get("width")) for r in root.iter(SVG + "rect") if r.get("class") == "mark"]
    assert lengths[0] == pytest.approx(2 * lengths[1], abs=0.1)


def test_bars_stack_and_name_their_parts():
    root = parsed(svg.bars(["a"], {"train": [3], "val": [1]}))
    tips = [t.text for t in root.iter(SVG + "title")]
    assert tips == ["a, train: 3", "a, val: 1"]
    assert {"train", "val", "4"} <= {t.text for t in root.iter(SVG + "text")}


def test_histogram_of_whole_numbers_names_them():
    tips = [t.text for t in parsed(svg.histogram([0, 2, 4], [7, 8], whole=True)).iter(SVG + "title")]
    assert tips == ["0 to 1: 7", "2 to 3: 8"]
    tips = [t.text for t in parsed(svg.histogram([0, 1, 2], [7, 8], whole=True)).iter(SVG + "title")]
    assert tips == ["0: 7", "1: 8"]


def test_long_names_are_cut_and_whole_in_the_tooltip():
    name = "x" * 100
    root = parsed(svg.bars([name], {"": [1]}))
    label = next(t for t in root.iter(SVG + "text") if t.find(SVG + "title") is not None)
    assert len(label.text) == 28
    assert label.find(SVG + "title").text == name


@settings(max_examples=50)
@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e9))
def test_ticks_are_few_and_inside(low, length):
    made = ticks(low, low + length)
    assert len(made) <= 12
    assert made == sorted(made)
    assert all(low - 1e-6 * length <= t <= low + length * (1 + 1e-6) for t in made)


@settings(max_examples=50)
@given(st.lists(st.floats(-1e6, 1e6), max_size=5), st.booleans())
def test_an_axis_holds_its_values(values, log):
    axis = Axis.over(values, log=log)
    assert axis.low < axis.high
    for value in values:
        assert 0 <= axis.share(value) <= 1
        if not log:
            assert axis.low <= value <= axis.high
    assert all(axis.low <= t <= axis.high * (1 + 1e-9) for t in axis.ticks())


def test_a_page_holds_everything_itself():
    table = Table(("name", "n"), ((NASTY, 1234), ("b", None), ("c", 0.25)), title=NASTY)
    parts = [
        page.section(
            NASTY, page.table(table), page.charts(CHARTS["bars"]), page.hints([f"see `{NASTY}`", "lone ` tick"])
        ),
        page.cards([(NASTY, "1", NASTY)]),
        page.problems([NASTY] * 3, most=2),
        page.paragraph(NASTY),
    ]
    made = page.page(NASTY, NASTY, parts)
    root = html.document_fromstring(made)
    assert not list(root.iter("script", "link", "img", "iframe", "object"))
    assert not root.xpath("//@src | //@href | //@onload")
    assert b"://" not in made
    assert b"\x1b" not in made
    assert root.xpath("//h1/text()") == ['<script>alert(1)</script>"&\\x1b[31m\\n名']
    cells = [td.text_content() for td in root.iter("td")]
    assert cells[1] == "1,234"
    assert cells[3:] == ["", "c", "0.25"]
    assert "and 1 more" in root.text_content()
    assert "prefers-color-scheme:dark" in made.decode()
    assert "default-src 'none'" in made.decode()


def test_a_long_table_is_folded():
    table = Table(("n",), tuple((i,) for i in range(50)))
    assert page.table(table).startswith("<details>")
    assert not page.table(table, fold=50).startswith("<details>")
