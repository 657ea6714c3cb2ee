"""Lists of segments: seven forms of the same spans, read back; what cannot be read is named with its line."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.core.errors import DataError, DatatoolsError
from datatools.core.records import Recording, Span
from datatools.io.segments import write
from datatools.io.segments.read import read_segments

ONE = Recording("talks/one two", "raw/one two.wav", 16_000, 1, 160_000)
TWO = Recording("two", "raw/two.flac", 44_100, 2, 441_000)


def marked(*, clips: bool = False) -> list[tuple[Recording, list[Span]]]:
    spans = [
        Span(r, first, stop, 0.75, f"{r.id}/{first}.wav" if clips else "")
        for r in (ONE, TWO)
        for first, stop in ((1600, 48_001), (48_001, 100_000))
    ]
    return [(ONE, spans[:2]), (TWO, spans[2:])]


def text(form: str, *, clips: bool = False) -> dict[str, str]:
    return {name: data.decode() for name, data in write.files(form, marked(clips=clips)).items()}


@pytest.mark.parametrize("form", ["rttm", "csv", "audacity", "textgrid", "kaldi"])
def test_what_is_written_is_read_back(tmp_path: Path, form: str) -> None:
    for name, data in write.files(form, marked()).items():
        if form == "kaldi" and not name.endswith("segments"):
            continue
        path = tmp_path / "lists" / (name + (".segments" if form == "kaldi" else ""))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    found = read_segments(tmp_path / "lists")
    plain = {name.replace("/", "-").replace(" ", "_"): spans for name, spans in found.items()}
    assert set(plain) == {"talks-one_two", "two"}
    for recording, spans in marked():
        got = plain[recording.id.replace("/", "-").replace(" ", "_")]
        for (start, end), span in zip(got, spans, strict=True):
            assert (round(start * recording.sr), round(end * recording.sr)) == (span.first, span.stop)


def test_rttm_has_ten_fields_and_no_blanks_in_names() -> None:
    lines = text("rttm")["segments.rttm"].splitlines()
    assert len(lines) == 4
    assert all(len(line.split(" ")) == 10 for line in lines)
    assert lines[0].startswith("SPEAKER talks-one_two 1 0.100000 2.900062 <NA> <NA> speech 0.750")


def test_kaldi_is_sorted_and_its_files_agree() -> None:
    files = text("kaldi")
    keys = {name: [line.split(" ")[0] for line in body.splitlines()] for name, body in files.items()}
    assert all(k == sorted(k, key=str.encode) for k in keys.values())
    utterances = keys["kaldi/segments"]
    assert utterances == keys["kaldi/utt2spk"] == keys["kaldi/spk2utt"] == keys["kaldi/utt2dur"]
    assert {line.split(" ")[1] for line in files["kaldi/segments"].splitlines()} == set(keys["kaldi/wav.scp"])
    assert keys["kaldi/wav.scp"] == keys["kaldi/reco2dur"]


def test_kaldi_of_clips_has_no_segments() -> None:
    files = text("kaldi", clips=True)
    assert "kaldi/segments" not in files
    assert files["kaldi/wav.scp"].splitlines()[-1] == "two-0001088-0002268 two/48001.wav"


def test_lhotse_cuts_hold_what_the_other_two_files_say() -> None:
    for clips in (False, True):
        files = text("lhotse", clips=clips)
        rows = {name: [json.loads(line) for line in body.splitlines()] for name, body in files.items()}
        recordings = {r["id"]: r for r in rows["lhotse/recordings.jsonl"]}
        supervisions = {s["id"]: s for s in rows["lhotse/supervisions.jsonl"]}
        assert len(recordings) == (4 if clips else 2)
        for cut in rows["lhotse/cuts.jsonl"]:
            recording = cut["recording"]
            assert recording == recordings[recording["id"]]
            assert cut["start"] + cut["duration"] <= recording["duration"] + 1e-9
            assert supervisions[cut["id"]]["recording_id"] == recording["id"]
            assert cut["supervisions"][0]["start"] == 0
            assert cut["type"] == ("MonoCut" if len(recording["channel_ids"]) == 1 else "MultiCut")


def test_nemo_names_clips_or_parts() -> None:
    rows = [json.loads(line) for line in text("nemo")["nemo.jsonl"].splitlines()]
    assert rows[0] == {"audio_filepath": "raw/one two.wav", "offset": 0.1, "duration": 2.900062, "text": ""}
    rows = [json.loads(line) for line in text("nemo", clips=True)["nemo.jsonl"].splitlines()]
    assert rows[0] == {"audio_filepath": "talks/one two/1600.wav", "offset": 0.0, "duration": 2.900062, "text": ""}


def test_all_forms_agree() -> None:
    rows = list(csv.DictReader(io.StringIO(text("csv")["segments.csv"])))
    labels = text("audacity")
    grid = text("textgrid")["two.TextGrid"]
    assert [(r["start"], r["end"]) for r in rows if r["recording"] == "two"] == [
        tuple(line.split("\t")[:2]) for line in labels["two.txt"].splitlines()
    ]
    for row in rows[2:]:
        assert f"xmin = {row['start']}" in grid
    assert 'text = "speech"' in grid
    assert grid.count("intervals [") == 4


def test_names_that_fall_together_are_told_apart() -> None:
    both = [Recording(name, name, 8000, 1, 8000) for name in ("a b", "a_b")]
    twins = [(one, [Span(one, 0, 800, 1.0)]) for one in both]
    body = write.files("kaldi", twins)["kaldi/wav.scp"].decode().splitlines()
    assert body == ["a_b a b", "a_b~2 a_b"]


@pytest.mark.parametrize("form", write.FORMS)
def test_nothing_found_is_written_too(form: str) -> None:
    assert write.files(form, []) is not None
    for data in write.files(form, [(ONE, [])]).values():
        data.decode()


def read(tmp_path: Path, body: str, name: str = "x.txt") -> object:
    path = tmp_path / name
    path.write_bytes(body.encode())
    return read_segments(path)


GRID = """File type = "ooTextFile"
Object class = "TextGrid"

0\n2\n<exists>\n1\n"IntervalTier"\n"w"\n0\n2\n2\n0\n1\n""\n1\n2\n"hi"
"""


@pytest.mark.parametrize(
    ("body", "spans"),
    [
        ("0.5\t1.5\tspeech\n2\t3\tsilence\n", [(0.5, 1.5)]),
        ("0.5\t1.5\tanna\n2\t3\tsilence\n3\t4\t\n", [(0.5, 1.5), (3, 4)]),
        ("\ufeff0\t1\ta\r\n\\\t100\t200\r\n", [(0, 1)]),
        ("0\t1\tspeech\t\n", [(0, 1)]),
        (";; comment\nSPEAKER x 1 0.5 1 <NA> <NA> a <NA> <NA>\n", [(0.5, 1.5)]),
        ("utt x 0.5 1.5\n", [(0.5, 1.5)]),
        ("Start,END,label\n0.5,1.5,speech\n1,2,noise\n", [(0.5, 1.5)]),
        ("", []),
        (GRID, [(1, 2)]),
    ],
)  # fmt: skip
def test_forms_from_elsewhere(tmp_path: Path, body: str, spans: list[tuple[float, float]]) -> None:
    assert read(tmp_path, body) == {"x": spans}


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("0\t1\ta\n1\t0.5\tb\n", 2),
        ("0\tnan\ta\n", 1),
        ("0\t1e400\ta\n", 1),
        ("0\t1_0\ta\n", 1),
        ("-1\t1\ta\n", 1),
        ("hello\n", 1),
        ("SPEAKER x 1 0 1 <NA> <NA> a <NA> <NA>\nSPEAKER x 1 0\n", 2),
        ("start,end\n1,x\n", 2),
        ("start,end\n1\n", 2),
        ('File type = "ooTextFile"\n"IntervalTier"\n"w"\n0\n2\n2\n0\n1\n', 0),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path: Path, body: str, line: int) -> None:
    with pytest.raises(DataError, match="E-SEGMENTS") as caught:
        read(tmp_path, body)
    assert caught.value.line == line


LETTERS = st.text(alphabet='0123456789.,-\t\n SPEAKERx"<>ooTextFileIntervalTier', max_size=150)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=120), LETTERS.map(str.encode)))
def test_no_text_ends_in_anything_but_our_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.txt"
    path.write_bytes(data)
    try:
        for spans in read_segments(path).values():
            assert all(0 <= a <= b for a, b in spans)
    except DatatoolsError as error:
        assert "\n" not in str(error)
