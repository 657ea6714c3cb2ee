"""Labels of text detection: what is read, what is refused, and the way back."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.core.records import TextRegion
from datatools.io.paddleocr import pages

SQUARE = "[[0, 0], [9, 0], [9, 5], [0, 5]]"
COORDINATES = st.floats(-1e7, 1e7) | st.integers(-9999, 9999).map(float)


@st.composite
def a_region(draw: st.DrawFn) -> TextRegion:
    points = draw(st.lists(st.tuples(COORDINATES, COORDINATES), min_size=4, max_size=9))
    text = draw(st.text(st.characters(exclude_categories=("Cs",))))
    keys = draw(st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=5), max_size=2, unique=True))
    extra = tuple((k, draw(st.sampled_from(["1", "null", '"é"', "[1.5]"]))) for k in keys)
    extra = tuple(e for e in extra if e[0] not in ("transcription", "points", "difficult"))
    return TextRegion(tuple(points), text, text in pages.IGNORED, extra)


@given(st.lists(a_region(), max_size=3))
@settings(max_examples=60)
def test_a_written_label_is_read_back_and_is_one_line(found: list[TextRegion]) -> None:
    label = pages.label_of(found)
    assert pages.regions(label) == tuple(found)
    assert len(label.splitlines()) == 1
    assert pages.label_of(pages.regions(label)) == label


def test_what_is_ignored() -> None:
    def one(text: str, more: str = "") -> TextRegion:
        return pages.regions(f'[{{"transcription": "{text}", "points": {SQUARE}{more}}}]')[0]

    assert [one(t).ignore for t in ("###", "*", "a", "####", "**", "")] == [True, True, False, False, False, False]
    assert one("a", ', "difficult": true').ignore
    assert not one("a", ', "difficult": false').ignore


def test_other_keys_are_kept_as_they_are() -> None:
    more = '"difficult": false, "n": [1, {"b": null}]'
    label = f'[{{"key_cls": "price é", "transcription": "a", "points": {SQUARE}, {more}}}]'
    (region,) = pages.regions(label)
    assert region.extra == (("key_cls", '"price é"'), ("difficult", "false"), ("n", '[1, {"b": null}]'))
    assert json.loads(pages.label_of([region])) == json.loads(label)


def test_escaped_and_plain_unicode_are_the_same() -> None:
    plain, escaped = (json.dumps([{"transcription": "中é😀", "points": [[0, 0]] * 4}], ensure_ascii=e) for e in (0, 1))
    assert pages.regions(plain) == pages.regions(escaped)
    assert pages.label_of(pages.regions(escaped)) == plain


def test_a_page_without_text() -> None:
    assert pages.regions(" [] ") == ()
    assert pages.label_of([]) == "[]"


def entry(points: str, text: str = '"a"') -> str:
    return f'[{{"transcription": {text}, "points": {points}}}]'


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("", "not JSON"),
        ("[{", "not JSON"),
        ("null", "a JSON null, not a list"),
        ("{}", "a JSON object, not a list"),
        ("[1]", "region 1: a JSON number, not an object"),
        ("[[]]", "region 1: a JSON list, not an object"),
        ("[{'transcription': 'a', 'points': [[0, 0]]}]", "a Python list, not JSON"),
        (f'[{{"points": {SQUARE}}}]', "transcription is missing"),
        ('[{"transcription": "a"}]', "points is missing"),
        (entry(SQUARE, "5"), "transcription is a JSON number"),
        (entry("[]"), "0 points"),
        (entry("[[0, 0]]"), "1 points"),
        (entry("[[0, 0], [1, 1]]"), "2 points"),
        (entry("[[0, 0], [1, 1], [1, 0]]"), "3 points"),
        (entry(str([[0, 0]] * 1001)), "1001 points"),
        (entry("[0, 0, 9, 0, 9, 5, 0, 5]"), "0 is not a point"),
        (entry("[[[0, 0]], [9, 0], [9, 5], [0, 5]]"), r"\[\[0, 0\]\] is not a point"),
        (entry("[[0, 0, 0], [9, 0], [9, 5], [0, 5]]"), "not a point"),
        (entry('[["0", 0], [9, 0], [9, 5], [0, 5]]'), "not a point"),
        (entry("[[true, 0], [9, 0], [9, 5], [0, 5]]"), "not a point"),
        (entry("[[NaN, 0], [9, 0], [9, 5], [0, 5]]"), "NaN is not a number"),
        (entry("[[Infinity, 0], [9, 0], [9, 5], [0, 5]]"), "Infinity is not a number"),
        (entry("[[1e400, 0], [9, 0], [9, 5], [0, 5]]"), "beyond 10,000,000"),
        (entry("[[1e9, 0], [9, 0], [9, 5], [0, 5]]"), "beyond 10,000,000"),
        (entry(f"[[{'9' * 5000}, 0], [9, 0], [9, 5], [0, 5]]"), "not JSON|Exceeds"),
        (entry("{}"), "points is a JSON object"),
        (f'[{{"transcription": "a", "transcription": "b", "points": {SQUARE}}}]', "a key stands twice"),
        (f'[{{"transcription": "a", "points": {SQUARE}, "x": 1e999}}]', "a number is too large"),
        (entry(SQUARE, '"\\ud83d"'), "lone surrogate"),
        (f'[{{"transcription": "a", "points": {SQUARE}, "\\udc00": 1}}]', "lone surrogate"),
        ("[" * 100_000, "nested too deeply"),
        (entry(SQUARE)[:-1], "not JSON"),
        (entry(SQUARE) + "x", "not JSON: Extra data"),
    ],
)
def test_what_is_no_label_is_refused_in_words(label: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        pages.regions(label)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("region", [TextRegion(((float("nan"), 0),) * 4, "a"), TextRegion(((0, 0),) * 4, "\ud800")])
def test_what_cannot_be_written_is_refused(region: TextRegion) -> None:
    with pytest.raises(ValueError, match=r"coordinate|Unicode"):
        pages.label_of([region])
