"""ICDAR ground truth: the forms of its years, commas in texts, and which file belongs to which image."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datatools.core.records import TextRegion
from datatools.io.icdar import layout, lines

QUAD = ((1.0, 2.0), (9.0, 2.0), (9.0, 5.0), (1.0, 5.0))


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("1,2,9,2,9,5,1,5,one", "one"),
        ("1,2,9,2,9,5,1,5,one, two,,", "one, two,,"),
        ("1,2,9,2,9,5,1,5,", ""),
        ("1, 2, 9, 2, 9, 5, 1, 5, one", " one"),
        ("1.0,2,9,2,9,5,1,5,10,20", "10,20"),
        ('1,2,9,5,"one, \\"two\\""', 'one, "two"'),
        ('1 2 9 5 "one"', "one"),
        ('1,2,9,2,9,5,1,5,"one"', '"one"'),
        ("1,2,9,2,9,5,1,5,a\u2028b", "a\u2028b"),
    ],
)
def test_the_forms_of_a_line(line: str, text: str) -> None:
    for data in (line, "\ufeff" + line, line + "\r\n", line + "\n\n"):
        (region,), failures = lines.regions(data.encode(), "gt.txt")
        assert not failures
        assert region == TextRegion(QUAD, text)


def test_what_is_ignored_and_what_is_broken() -> None:
    data = b"1,2,9,2,9,5,1,5,###\n1,2,9,2,9,5,1\n1,2,9,2,9,5,1,5,\xff\n1,2,nan,2,9,5,1,5,a\n1e9,2,9,2,9,5,1,5,a\n"
    (region,), failures = lines.regions(data, "gt.txt")
    assert region.ignore
    assert [(f.path, f.line, f.code) for f in failures] == [("gt.txt", n, "E-LABEL-LINE") for n in (2, 3, 4, 5)]


def test_the_script_of_mlt() -> None:
    (region,), _ = lines.regions(b"1,2,9,2,9,5,1,5,Latin,one, two\n", "gt.txt", scripts=True)
    assert (region.text, region.extra) == ("one, two", (("script", '"Latin"'),))
    _, (failure,) = lines.regions(b"1,2,9,2,9,5,1,5,Klingon,one\n", "gt.txt", scripts=True)
    assert "not a script" in failure.message
    assert not lines.have_scripts([])


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(-99, 9999), st.integers(-99, 9999)), min_size=4, max_size=4),
            st.text(st.characters(exclude_characters="\n\r", exclude_categories=("Cs",))),
        ),
        max_size=4,
    )
)
def test_a_written_file_is_read_back(given_regions: list[tuple[list[tuple[int, int]], str]]) -> None:
    regions = tuple(
        TextRegion(tuple((float(x), float(y)) for x, y in points), text, text == "###")
        for points, text in given_regions
    )
    assert lines.regions(lines.file_of(regions), "gt.txt") == (regions, ())


def test_what_no_line_can_hold() -> None:
    with pytest.raises(ValueError, match="5 corners"):
        lines.file_of([TextRegion((*QUAD, (0.0, 3.0)), "a")])
    with pytest.raises(ValueError, match="line end"):
        lines.file_of([TextRegion(QUAD, "a\nb")])


def test_words() -> None:
    found, failures = lines.words(b'\xef\xbb\xbfword_1.png, "a, \\\\ \\"b\\""\r\nword 2.png,"x"\nbroken\n', "gt.txt")
    assert found == ((1, "word_1.png", 'a, \\ "b"'), (2, "word 2.png", "x"))
    assert [f.line for f in failures] == [3]


def make(root: Path, *names: str, text: str = "1,2,9,2,9,5,1,5,one\n") -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_training_and_test_images_of_one_name(tmp_path: Path) -> None:
    images = ("ch4_training_images/img_1.jpg", "ch4_test_images/img_1.jpg")
    truth = ("Challenge4_Test_Task1_GT/gt_img_1.txt", "ch4_training_localization_transcription_gt/gt_img_1.txt")
    found = layout.find_set(make(tmp_path, *images, *truth))
    assert found.pages == (
        layout.TruthFile(truth[0], images[1], "test"),
        layout.TruthFile(truth[1], images[0], "train"),
    )


def test_names_beside_each_other_and_what_has_no_image(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "a.txt", "b.png", "gt_b.txt", "c.jpg", "c.gt.txt", "d.txt", "test/e.jpg", "train/e.txt")
    make(tmp_path, "notes.txt", text="hello\n")
    make(tmp_path, "gt.txt", text='word_1.png, "one"\n')
    os.mkfifo(tmp_path / "pipe.txt")
    found = layout.find_set(tmp_path)
    assert {f.name: f.image for f in found.pages} == {
        "a.txt": "a.jpg",
        "c.gt.txt": "c.jpg",
        "d.txt": "",
        "gt_b.txt": "b.png",
        "train/e.txt": "",
    }
    assert [f.name for f in found.words] == ["gt.txt"]
    assert found.image_of(found.words[0], "a.jpg") == "a.jpg"
    assert found.image_of(found.words[0], "z.jpg") == ""
