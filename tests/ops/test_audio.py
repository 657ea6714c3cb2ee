"""The audio commands from end to end, on made voices and, where they are, on real recordings."""

import csv
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from datatools.cli.app import main
from datatools.core.errors import UsageError
from datatools.core.op import find
from datatools.core.values import Audio
from datatools.io.codecs.features import read_matrix
from datatools.io.segments.read import read_segments
from datatools.kernels import detection

TALK = "meeting.wav"


@pytest.fixture
def talks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fixture_audio: Path) -> Path:
    """A working directory with recordings in talks/."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(fixture_audio, "talks")
    return tmp_path / "talks"


def run(*words: str, code: int = 0) -> None:
    jobs = () if "-j" in words or words[0] == "score" else ("-j", "1")
    assert main(["audio", *words, *jobs]) == code


def rows(path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(Path(path).read_text())))


def samples(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="int16", always_2d=True)[0]


def test_clips_and_what_was_dropped_are_the_recording(talks: Path) -> None:
    run("slice", "talks", "out", "--manifest", "csv", "--max", "2", "--min", "0.4", "-j", "1")
    kept, dropped = rows("out/segments.csv"), rows("out/dropped.csv")
    for path in sorted(talks.glob("*.*")):
        if path.suffix == ".rttm":
            continue
        whole = samples(path)
        sr = soundfile.info(path).samplerate
        parts = [(float(r["start"]), samples(Path("out") / r["clip"])) for r in kept if r["recording"] == path.stem]
        assert parts
        assert all(len(clip) <= 2 * sr for _, clip in parts)
        for r in dropped:
            if r["recording"] == path.stem:
                first, stop = (round(float(r[k]) * sr) for k in ("start", "end"))
                parts.append((float(r["start"]), whole[first:stop]))
        parts.sort(key=lambda part: part[0])
        joined = np.concatenate([part for _, part in parts])
        assert len(joined) == len(whole)
        near = 1 if path.suffix in (".mp3", ".ogg") else 0  # rounded where a block begins
        assert np.abs(joined.astype(int) - whole).max() <= near
        for r in kept:
            if r["recording"] == path.stem:
                info = soundfile.info(Path("out") / r["clip"])
                assert (info.samplerate, info.channels) == (sr, whole.shape[1])


def test_clips_keep_the_kind_of_samples(talks: Path) -> None:
    wave, sr = soundfile.read(talks / TALK)
    kinds = {"deep": "PCM_24", "float": "FLOAT", "law": "ULAW", "small": "PCM_U8"}
    Path("kinds").mkdir()
    for stem, subtype in kinds.items():
        soundfile.write(f"kinds/{stem}.wav", wave, sr, subtype)
    run("slice", "kinds", "out")
    for stem, subtype in kinds.items():
        clips = sorted(Path(f"out/{stem}").glob("*.wav"))
        assert clips
        assert all(soundfile.info(clip).subtype == subtype for clip in clips)


def test_every_list_is_written_and_they_agree(talks: Path) -> None:
    run(
        "slice",
        "talks",
        "out",
        "--manifest",
        "lhotse,kaldi,audacity,rttm,csv,textgrid,nemo",
        "--scores",
        "--plot",
        "svg",
    )
    listed = rows("out/segments.csv")
    cuts = [json.loads(line) for line in Path("out/lhotse/cuts.jsonl").read_text().splitlines()]
    nemo = [json.loads(line) for line in Path("out/nemo.jsonl").read_text().splitlines()]
    assert [c["id"] for c in cuts] == [r["id"] for r in listed]
    assert [n["audio_filepath"] for n in nemo] == [r["clip"] for r in listed]
    marks = read_segments("out/segments.rttm")
    for name, spans in read_segments("out/segments.csv").items():
        np.testing.assert_allclose(marks[name], spans, atol=2e-6)
    for r in listed:
        info = soundfile.info(Path("out") / r["clip"])
        assert info.frames / info.samplerate == pytest.approx(float(r["duration"]), abs=1e-5)
    assert (Path("out") / "meeting.TextGrid").is_file()
    assert (Path("out") / "meeting.txt").is_file()
    assert (Path("out") / "meeting.svg").read_text().startswith("<?xml")
    scores = np.load("out/meeting.scores.npy")
    assert scores.shape == (369, 2)
    assert scores[1, 0] == pytest.approx(0.032)


def test_a_second_run_does_what_changed_alone(talks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("slice", "talks", "out", "-j", "1")
    capsys.readouterr()
    (talks / "phone.wav").unlink()
    shutil.copy(talks / TALK, talks / "again.wav")
    run("slice", "talks", "out", "-j", "1")
    assert "1 made, 4 kept, 1 removed" in capsys.readouterr().out
    assert not Path("out/phone").exists()
    assert Path("out/again").is_dir()


def test_a_dry_run_prints_the_clips_and_writes_nothing(talks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (talks / "text.wav").write_bytes(b"no sound")
    run("slice", "talks", "out", "--dry-run")
    printed = capsys.readouterr().out.splitlines()
    assert not list(Path().glob("out*"))
    assert any(line.startswith("text.wav: E-AUDIO-UNREADABLE") for line in printed)
    run("slice", "talks", "out", "--manifest", "csv", code=1)
    cut = [[r["recording"], *(f"{float(r[k]):.3f}" for k in ("start", "end"))] for r in rows("out/segments.csv")]
    assert [line.split("\t")[:3] for line in printed if "\t" in line] == cut
    assert "would do 6, keep 0, remove 0 of 6 items" in printed


def test_convert_a_file_to_a_file(talks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("convert", "talks/interview.mp3", "one.wav", "--rate", "16000")
    assert soundfile.info("one.wav").samplerate == 16_000
    run("convert", "talks/interview.mp3", "two.ogg", code=2)
    assert "--to" in capsys.readouterr().err
    assert not Path("two.ogg").exists()
    run("convert", "talks/interview.mp3", "two.ogg", "--to", "ogg")
    assert soundfile.info("two.ogg").format == "OGG"


def test_names_of_clips(talks: Path) -> None:
    run("slice", f"talks/{TALK}", "out", "--name", "{stem}_{n}")
    assert sorted(p.name for p in Path("out").glob("*.wav"))[0] == "meeting_0001.wav"
    run("slice", f"talks/{TALK}", "other", "--name", "../{stem}{n}", code=1)
    assert not list(Path().glob("meeting*.wav"))


def test_two_files_that_differ_in_their_suffix(talks: Path) -> None:
    wave, sr = soundfile.read(talks / TALK)
    soundfile.write(talks / "meeting.flac", wave, sr)
    run("slice", "talks", "out")
    assert Path("out/meeting.wav").is_dir()
    assert Path("out/meeting.flac").is_dir()


def test_bad_recordings_are_named_and_the_others_are_done(talks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = (talks / TALK).read_bytes()
    (talks / "cut.wav").write_bytes(good[: len(good) // 2])
    (talks / "empty.wav").write_bytes(b"")
    (talks / "text.mp3").write_bytes(b"no sound\n")
    nan = np.zeros(16_000)
    nan[100] = np.nan
    soundfile.write(talks / "nan.wav", nan, 16_000, "FLOAT")
    soundfile.write(talks / "silent.wav", np.zeros(16_000), 16_000)
    soundfile.write(talks / "blink.wav", np.zeros(3), 16_000)
    for words in (["slice"], ["features"], ["augment", "--gain", "3"]):
        run(words[0], "talks", f"out_{words[0]}", *words[1:], "-j", "1", code=1)
        told = capsys.readouterr()
        for line in ("cut.wav: E-AUDIO-TRUNCATED", "empty.wav: E-AUDIO-EMPTY", "text.mp3: E-AUDIO-UNREADABLE"):
            assert line in told.out
        assert "nan.wav: E-AUDIO-NAN" in told.out
        assert "11 items: 7 made, 0 kept, 4 failed" in told.out
        assert "Traceback" not in told.err
    for command in ("info", "vad"):
        run(command, "talks", code=1)
        assert "cut.wav: E-AUDIO-TRUNCATED" in capsys.readouterr().out
    assert not Path("out_slice/silent").exists()
    dropped = [r for r in rows("out_slice/dropped.csv") if r["recording"] in ("silent", "blink")]
    assert [(r["start"], r["why"]) for r in dropped] == [("0.000000", "silence")] * 2


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("slice", {"longest": 1.0, "shortest": 0.8}, "--max 1 must be at least twice --min 0.8"),
        ("slice", {"manifest": ("word",)}, "there is no 'word'"),
        ("slice", {"name": "same"}, "--name"),
        ("slice", {"threshold": 1.5}, "--threshold"),
        ("features", {"kind": "mfcc", "cepstra": 50}, "--cepstra 50"),
        ("convert", {"to": "flac", "bits": "float"}, "--to flac"),
        ("convert", {"to": "opus", "rate": 44_100}, "--to opus"),
        ("convert", {"loudness": -23.0, "peak": -1.0}, "not both"),
        ("augment", {"speed": "fast"}, "--speed"),
        ("augment", {"speed": "0.1"}, "--speed"),
        ("augment", {"snr": "9..1"}, "--snr"),
        ("augment", {"noise": Path("absent")}, "absent"),
        ("augment", {"noise": Path()}, "holds no recordings"),
    ],
)
def test_what_contradicts_itself_is_a_usage_error(
    name: str, given: dict[str, Any], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    more = {"rng": np.random.default_rng(0)} if name == "augment" else {}
    with pytest.raises(UsageError, match=re.escape(told)):
        find(f"audio.{name}")(Audio.of(np.zeros(1600, np.float32), 16_000), **given, **more)


@pytest.mark.parametrize(
    "words",
    [
        ("slice", "talks", "out", "--max", "1", "--min", "0.8"),
        ("vad", "talks", "--manifest", "rttm"),
        ("vad", "talks", "--vad", "speechbrain", "--source", "talks"),
        ("score", "talks", "absent"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_wrong_words_are_refused_and_nothing_is_written(talks: Path, words: tuple[str, ...]) -> None:
    run(*words, code=2)
    assert not Path("out").exists()


def test_vad_finds_what_slice_cuts(talks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("slice", "talks", "out", "--manifest", "csv")
    capsys.readouterr()
    alike = ["--pad", "0.1", "--merge", "0.3", "--max", "15", "--min", "1"]
    run("vad", "talks", "lists", *alike, "--manifest", "rttm,csv,kaldi", "--json")
    printed = json.loads(capsys.readouterr().out)
    cut = [(r["recording"], float(r["start"]), float(r["end"])) for r in rows("out/segments.csv")]
    found = [(name, a, b) for name, spans in printed["segments"].items() for a, b, _ in spans]
    assert [f[0] for f in found] == [c[0] for c in cut]
    assert [f[1:] for f in found] == [pytest.approx(c[1:], abs=1e-5) for c in cut]
    assert Path("lists/kaldi/segments").is_file()
    assert Path("lists/kaldi/wav.scp").read_text().startswith("interview talks/interview.mp3\n")


def test_score_of_lists_in_two_forms(talks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("vad", "talks", "lists", "--manifest", "textgrid")
    capsys.readouterr()
    run("score", "lists", "talks/reference.rttm", "--collar", "0.1", "--json")
    answer = json.loads(capsys.readouterr().out)
    assert answer["overall"]["f1"] > 0.99
    assert set(answer["recordings"]) == {"interview", "lecture", "meeting", "phone", "studio"}
    assert not answer["missing"]


def test_features_have_the_shape_that_the_formula_says(talks: Path) -> None:
    run("features", "talks", "out", "-j", "1")
    for name, frames in (("meeting", 188_800), ("lecture", 367_200)):
        made = np.load(f"out/{name}.npy")
        assert made.shape == (1 + (frames - 400) // 160, 40)
        assert made.dtype == np.float32
    table = {r["id"]: r for r in rows("out/features.csv")}
    assert table["meeting"]["frames"] == "1178"


def test_features_in_every_store_are_the_same(talks: Path) -> None:
    for store in ("npy", "npz", "ark"):
        run("features", "talks", f"out_{store}", "--to", store, "--deltas", "1", "--kind", "mfcc", "--rate", "16000")
    whole = np.load("out_npz/features.npz")
    script = dict(line.split(" ") for line in Path("out_ark/feats.scp").read_text().splitlines())
    assert list(script) == sorted(script)
    for name in ("studio", "phone"):
        plain = np.load(f"out_npy/{name}.npy")
        assert plain.shape[1] == 26
        assert (whole[name] == plain).all()
        path, _, at = script[name].partition(":")
        assert (read_matrix(Path("out_ark") / path, int(at)) == plain).all()


def test_cmvn_over_an_utterance_and_over_all(talks: Path) -> None:
    run("features", "talks", "one", "--cmvn", "utterance", "--kaldi")
    run("features", "talks", "all", "--cmvn", "global", "--kaldi")
    for path in Path("one").glob("*.npy"):
        made = np.load(path)
        np.testing.assert_allclose(made.mean(axis=0), 0, atol=1e-3)
        np.testing.assert_allclose(made.std(axis=0), 1, atol=1e-2)
    both = np.concatenate([np.load(path) for path in sorted(Path("all").glob("*.npy"))])
    np.testing.assert_allclose(both.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(both.std(axis=0), 1, atol=1e-2)


def test_features_of_listed_parts(talks: Path) -> None:
    run("features", "talks", "out", "--segments", "talks/reference.rttm")
    made = sorted(Path("out/meeting").glob("*.npy"))
    assert made[0].name == "0000800-0003200.npy"
    assert len(made) == 4
    whole = samples(talks / TALK)[12_800:51_200, 0]
    assert len(np.load(made[0])) == 1 + (len(whole) - 400) // 160


def test_both_ways_to_compute_features_agree(talks: Path) -> None:
    run("features", f"talks/{TALK}", "own", "--kaldi", "-j", "1")
    run("features", f"talks/{TALK}", "torch", "--kaldi", "--by", "torchaudio", "-j", "1")
    np.testing.assert_allclose(np.load("own/meeting.npy"), np.load("torch/meeting.npy"), atol=1e-3)


def test_info_of_what_is_wrong_with_sound(talks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tone = 1.4 * np.sin(np.arange(32_000) / 8)
    soundfile.write("clipped.wav", np.clip(tone, -1, 1), 16_000)
    soundfile.write("offset.wav", np.full(16_000, 0.25), 16_000)
    half = np.where(np.arange(32_000) < 16_000, 0, tone / 10)
    soundfile.write("half.wav", half, 16_000)
    facts: dict[str, Any] = {}
    for name in ("clipped.wav", "offset.wav", "half.wav"):
        run("info", name, "--json")
        facts[name] = json.loads(capsys.readouterr().out)["recordings"][0]
    assert facts["clipped.wav"]["clipped"] == (np.abs(samples(Path("clipped.wav")).astype(int)) >= 0.999 * 32_768).sum()
    assert facts["offset.wav"]["dc"] == pytest.approx(0.25, abs=1e-3)
    assert facts["offset.wav"]["silence"] == 1
    assert facts["half.wav"]["silence"] == pytest.approx(0.5, abs=0.02)
    assert facts["half.wav"]["peak_db"] == pytest.approx(20 * np.log10(0.14), abs=0.1)


def test_convert_to_one_rate_one_channel_one_loudness(talks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("convert", "talks", "out", "--rate", "16000", "--channels", "1", "--loudness", "-23")
    capsys.readouterr()
    run("info", "out", "--json")
    for facts in json.loads(capsys.readouterr().out)["recordings"]:
        assert (facts["sr"], facts["channels"], facts["codec"]) == (16_000, 1, "WAV PCM_16")
        assert facts["loudness_lufs"] == pytest.approx(-23, abs=0.2)


@pytest.mark.parametrize(
    ("words", "codec"),
    [
        (("--to", "flac", "--bits", "24"), "FLAC PCM_24"),
        (("--to", "opus", "--channels", "2"), "OGG OPUS"),
        (("--bits", "float", "--peak", "-6"), "WAV FLOAT"),
    ],
)
def test_convert_to_every_form(
    talks: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], codec: str
) -> None:
    run("convert", "talks/studio.flac", "out", *words)
    capsys.readouterr()
    run("info", "out", "--json")
    facts = json.loads(capsys.readouterr().out)["recordings"][0]
    assert facts["codec"] == codec
    assert facts["duration_s"] == pytest.approx(4.6, abs=0.05)
    if "--peak" in words:
        assert facts["peak_db"] == pytest.approx(-6, abs=0.01)


def test_trimmed_ends(talks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(
        "x.wav",
        np.concatenate([np.zeros(16_000), 0.3 * np.ones(8000) * np.sin(np.arange(8000)), np.zeros(16_000)]),
        16_000,
    )
    run("convert", "x.wav", "out", "--trim")
    assert len(samples(Path("out/x.wav"))) == pytest.approx(8000 + 3200, abs=320)


def test_augmented_copies_are_drawn_anew_and_again_the_same(talks: Path, fixture_audio: Path) -> None:
    extras = fixture_audio.parent / "audio_extras"
    words = ["--noise", str(extras / "noise"), "--reverb", str(extras / "rooms"), "--speed", "0.9,1.1", "--gain", "6"]
    words += ["--codec", "telephone", "--copies", "2", "--keep-originals"]
    run("augment", "talks", "a", *words, "--seed", "3", "-j", "1")
    run("augment", "talks", "b", *words, "--seed", "3", "-j", "2")
    run("augment", "talks", "c", *words, "--seed", "4")
    notes = [json.loads(line) for line in Path("a/augment.jsonl").read_text().splitlines()]
    assert len(notes) == 15
    drawn = [n["drawn"] for n in notes if "drawn" in n]
    assert len(drawn) == 10
    assert all(set(d) >= {"speed", "reverb", "noise", "snr_db", "codec", "gain_db"} for d in drawn)
    assert len({json.dumps(d) for d in drawn}) == 10
    for n in notes:
        a, b, c = ((Path(folder) / n["file"]).read_bytes() for folder in "abc")
        assert a == b
        assert (a == c) == ("drawn" not in n)
        assert soundfile.info(Path("a") / n["file"]).frames == n["frames"]
    assert (talks / "lecture.ogg").read_bytes() == Path("a/lecture.ogg").read_bytes()


@pytest.mark.parametrize("codec", ["mp3", "ogg", "opus", "telephone"])
def test_codecs(fixture_audio: Path, codec: str) -> None:
    before, sr = soundfile.read(fixture_audio / "studio.flac", dtype="float32")
    rng = np.random.default_rng(0)
    made = np.concatenate(list(find("audio.augment")(Audio.of(before, sr), codec=codec, rng=rng).blocks()))
    assert made.shape == before.shape
    assert not (made == before).all()
    assert np.corrcoef(made[:, 0], before[:, 0])[0, 1] > 0.9


def test_pictures(talks: Path) -> None:
    from datatools.io import images

    run("plot", f"talks/{TALK}", "svg")
    run("plot", f"talks/{TALK}", "png", "--to", "png")
    for kind in ("waveform", "spectrogram"):
        picture = images.decode(Path(f"png/meeting.{kind}.png").read_bytes(), name="x")
        assert picture.shape[1] == (1200 if kind == "waveform" else 1178)
        text = Path(f"svg/meeting.{kind}.svg").read_text()
        assert "10 s" in text
        assert text.endswith("</svg>\n")


def test_functions_take_arrays(talks: Path) -> None:
    wave, sr = soundfile.read(talks / TALK, dtype="float32")
    cut = find("audio.slice")(Audio.of(wave, sr), shortest=0.5)
    assert len(cut.kept) == 4
    rows_of = find("audio.features")(Audio.of(wave, sr))
    assert next(rows_of.parts[0][1]()).shape[1] == 40
    with pytest.raises(UsageError):
        find("audio.slice")(Audio.of(wave, sr), threshold=2.0)


@pytest.mark.shared
def test_silero_on_real_speech(shared_audio: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The frames of the annotated windows of two seconds."""
    folder = shared_audio / "speechbrain_vad" / "tests" / "samples"
    total = detection.Agreement()
    for name, recording in (("train", "train"), ("dev", "valid")):
        capsys.readouterr()
        run("vad", str(folder / "VAD" / f"{recording}.wav"), "--json")
        found = np.array(json.loads(capsys.readouterr().out)["segments"][recording]).reshape(-1, 3)[:, :2]
        for window in json.loads((folder / "annotation" / f"VAD_{name}.json").read_text()).values():
            start, stop = (window["wav"][k] / 16_000 for k in ("start", "stop"))
            spoken = np.array(window["speech"].split(), np.float64).reshape(-1, 2)
            ours = np.clip(found - start, 0, stop - start)
            total = total + detection.compare(ours, spoken, stop - start)
    assert total.f1 >= 0.95


@pytest.mark.shared
def test_real_recordings_of_many_forms(shared_audio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run("slice", str(shared_audio), "out", "--manifest", "csv,kaldi", "-j", "1")
    for row in rows("out/segments.csv"):
        info = soundfile.info(Path("out") / row["clip"])
        assert 1 <= info.frames / info.samplerate <= 15
