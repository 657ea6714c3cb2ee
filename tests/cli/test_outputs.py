"""The commands that look at outputs: verify names every damage, why tells where a file comes from."""

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from datatools.cli.app import main
from tests.engine.faulty import picture


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with raw pictures and a raw set, and what haze.remove and voc.fix made of them, as they were made."""
    place = tmp_path_factory.mktemp("made")
    before = Path.cwd()
    os.chdir(place)
    try:
        for number in range(40):
            picture(Path(f"pictures/{'ab'[number % 2]}/{number}.png"), level=5 * number + 20)
        shutil.copytree(Path(__file__).parents[2] / "fixtures" / "voc", "set")
        assert main(["haze", "remove", "pictures", "clear", "--patch", "3", "-j", "1"]) == 0
        assert main(["voc", "fix", "set", "--out", "fixed"]) in (0, 1)
    finally:
        os.chdir(before)
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it that may be damaged, as the working directory."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def verify(out: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["verify", out, "--json"])
    told = capsys.readouterr()
    assert told.err == ""
    return code, json.loads(told.out)


def damage(path: Path, rng: random.Random) -> tuple[Path, str]:
    """Do one thing to a file, or beside it; return which file verify has to name, and how."""
    data = path.read_bytes()
    what = rng.choice(["flip", "cut", "delete", "extra", "grow", "folder", "link", "hidden", "beside", "empty"])
    match what:
        case "flip":
            at = rng.randrange(len(data))
            path.write_bytes(data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :])
        case "cut":
            path.write_bytes(data[: rng.randrange(len(data))])
        case "grow":
            path.write_bytes(data + bytes([rng.randrange(256)]))
        case "delete":
            path.unlink()
            return path, "missing"
        case "folder":
            path.unlink()
            path.mkdir()
        case "link":
            path.unlink()
            path.symlink_to("/dev/null")
        case "hidden":
            other = path.with_name(f".{path.name}")
            other.write_bytes(data)
            return other, "extra"
        case "beside":
            other = path.with_name(f"{path.name}.link")
            other.symlink_to(path.name)
            return other, "extra"
        case "empty":
            other = path.with_name(f"{path.name}.folder")
            (other / "deeper").mkdir(parents=True)
            return other, "extra"
        case "extra":
            other = path.with_name(f"{path.name}.{rng.randrange(10**6)}")
            other.write_bytes(data[: rng.randrange(len(data))])
            return other, "extra"
    return path, "changed"


@pytest.mark.parametrize("out", ["clear", "fixed"])
def test_verify_names_each_of_300_damages(out: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(1)
    assert verify(out, capsys) == (0, {**verify(out, capsys)[1], "damaged": []})
    shutil.copytree(out, "kept")
    done = 0
    while done < 300:
        shutil.rmtree(out)
        shutil.copytree("kept", out)
        files = sorted(p for p in Path(out).rglob("*") if p.is_file() and ".datatools" not in p.parts)
        chosen = rng.sample(files, min(30, len(files), 300 - done))
        expected = sorted((str(path.relative_to(out)), what) for path, what in (damage(p, rng) for p in chosen))
        code, told = verify(out, capsys)
        assert code == 1
        assert [(one["file"], one["what"]) for one in told["damaged"]] == expected
        done += len(chosen)


@pytest.mark.parametrize("what", ["flip", "cut", "delete"])
def test_verify_names_a_damaged_record(what: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = Path("clear/run.json")
    data = record.read_bytes()
    for at in range(0, len(data), 97):
        match what:
            case "flip":
                record.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
            case "cut":
                record.write_bytes(data[:at])
            case "delete":
                record.unlink(missing_ok=True)
        code, told = verify("clear", capsys)
        assert code == 1
        assert told["damaged"] == [{"file": "run.json", "what": "missing" if what == "delete" else "changed"}]
    assert main(["verify", "clear"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("clear/run.json: ")
    assert len(lines) == 2


def test_damage_in_the_journal_is_never_passed_over_in_silence(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A flip there makes verify find fault with the files that it can no longer vouch for, or changes no digest."""
    rng = random.Random(2)
    journal = Path("clear/.datatools/journal.jsonl")
    data = journal.read_bytes()
    for _ in range(60):
        at = rng.randrange(len(data))
        journal.write_bytes(data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :])
        code, told = verify("clear", capsys)
        assert code == (1 if told["damaged"] else 0)
        assert all(one["file"].isprintable() or one["what"] == "missing" for one in told["damaged"])
    journal.write_bytes(data[: len(data) // 2])
    code, told = verify("clear", capsys)
    assert code == 1
    assert {one["what"] for one in told["damaged"]} == {"extra"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["verify", "pictures"], "pictures: is no output that datatools made"),
        (["verify", "absent"], "absent: is no output that datatools made"),
        (["verify", "clear/run.json"], "clear/run.json: is no output that datatools made"),
        (["why", "pictures/a/0.png"], "pictures/a/0.png: lies in no output that datatools made"),
        (["why", "clear/a/absent.png"], "clear/a/absent.png: no such file"),
    ],
)
def test_what_is_no_output_is_one_line_and_exit_2(
    words: list[str], said: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"datatools: {said}")
    assert told.err.count("\n") == 1


def test_verify_says_what_it_looked_at(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "clear"]) == 0
    size = sum(p.stat().st_size for p in Path("clear").rglob("*") if p.is_file() and ".datatools" not in p.parts)
    assert capsys.readouterr().out == f"41 files, {size:,} bytes: every one is what haze.remove made\n"
    Path("clear/a/0.png").unlink()
    Path("clear/a/\x1b[31m\n").write_text("x")
    assert main(["verify", "clear"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "clear/a/\\x1b[31m\\n: extra",
        "clear/a/0.png: missing",
        "2 of 41 files are not what haze.remove made; run it again with --force",
    ]


def test_verify_tells_what_is_extra_from_what_is_ours(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (".dt-lock", ".dt-tmp-4194305-0", "a/.dt-tmp-4194305-1", ".datatools/.hidden"):
        Path("clear", name).write_text("ours")
    assert verify("clear", capsys)[0] == 0
    for name in (".DS_Store", "a/.git/config", "a/.dt-lock", "b/.datatools/x", "new/.keep"):
        Path("clear", name).parent.mkdir(parents=True, exist_ok=True)
        Path("clear", name).write_text("mine")
    os.mkfifo("clear/pipe")
    Path("clear/loop").symlink_to(".")
    Path("clear/empty/in/empty").mkdir(parents=True)
    shutil.rmtree("clear/b", ignore_errors=True)
    Path("clear/b").mkdir()
    told = [(one["file"], one["what"]) for one in verify("clear", capsys)[1]["damaged"]]
    named = [".DS_Store", "a/.dt-lock", "a/.git/config", "empty", "loop", "new/.keep", "pipe"]
    assert [name for name, what in told if what == "extra"] == named
    gone = [name for name, what in told if what == "missing"]
    assert len(gone) == 20
    assert all(name.startswith("b/") for name in gone), "their folder is empty, and not extra"


def test_verify_names_what_it_cannot_read_and_goes_on(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(function: Any) -> Any:
        def call(path: Any, *more: Any, **named: Any) -> Any:
            if str(path).endswith(("clear/a/0.png", "clear/b/closed/")):
                raise PermissionError(13, "Permission denied", path)
            return function(path, *more, **named)

        return call

    Path("clear/b/closed").mkdir()
    with monkeypatch.context() as patched:  # rights do not keep root out
        patched.setattr(os, "open", failing(os.open))
        patched.setattr(os, "scandir", failing(os.scandir))
        code, told = verify("clear", capsys)
    assert code == 1
    assert told["damaged"] == [
        {"file": "a/0.png", "what": "unreadable"},
        {"file": "b/closed", "what": "unreadable"},
    ]


def why(file: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["why", file, "--json"]) == 0
    steps: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["steps"]
    return steps


def test_why_follows_items_back_to_the_raw_file(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["haze", "add", "clear", "hazy", "--depth", "gradient", "-j", "1"]) == 0
    steps = why("hazy/a/2.png", capsys)
    assert [(s["file"], s["op"], s["sources"], s["state"]) for s in steps] == [
        ("hazy/a/2.png", "haze.add", ["clear/a/2.png"], ["unchanged"]),
        ("clear/a/2.png", "haze.remove", ["pictures/a/2.png"], ["unchanged"]),
    ]
    assert steps[1]["parameters"]["patch"] == 3
    picture(Path("pictures/a/2.png"), level=9)
    assert why("hazy/a/2.png", capsys)[1]["state"] == ["changed"]
    Path("pictures/a/2.png").unlink()
    assert main(["why", "hazy/a/2.png"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == ["  from pictures/a/2.png (gone since)", "raw: pictures/a/2.png"]


def test_why_follows_files_of_whole_sets(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["voc", "rename", "fixed", "--map", "car=auto", "--out", "named"]) in (0, 1)
    steps = why("named/Annotations/street_a_0001.xml", capsys)
    assert [(s["op"], s["sources"]) for s in steps] == [
        ("voc.rename", ["fixed/Annotations/street_a_0001.xml"]),
        ("voc.fix", ["set/Annotations/street_a_0001.xml"]),
    ]
    steps = why("named/JPEGImages/street_a_0001.jpg", capsys)
    assert [s["state"] for s in steps] == [["unchanged"], ["unchanged"]], "what was linked has the same bytes"
    assert steps[-1]["sources"] == ["set/JPEGImages/street_a_0001.jpg"]


def test_why_finds_the_sources_from_anywhere(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["haze", "add", "clear", "deep/hazy", "--depth", "gradient", "-j", "1"]) == 0
    record = Path("deep/hazy/run.json").read_bytes()
    monkeypatch.chdir("clear/a")
    steps = why("../../deep/hazy/a/2.png", capsys)
    assert [(s["op"], s["sources"], s["state"]) for s in steps] == [
        ("haze.add", ["../a/2.png"], ["unchanged"]),
        ("haze.remove", ["../../pictures/a/2.png"], ["unchanged"]),
    ]
    steps = why(str(place / "fixed/Annotations/street_a_0001.xml"), capsys)
    assert steps[0]["sources"] == ["../../set/Annotations/street_a_0001.xml"], "a set as a whole, too"
    monkeypatch.chdir("/")
    assert [s["state"] for s in why(str(place / "deep/hazy/a/2.png"), capsys)] == [["unchanged"]] * 2
    monkeypatch.chdir(place)
    Path("link").symlink_to("deep")
    assert why("link/hazy/a/2.png", capsys)[0]["state"] == ["unchanged"], "a link leads elsewhere, but to the same"
    Path("hazy").symlink_to("deep/hazy")
    assert main(["haze", "add", "clear", "link/more", "--depth", "gradient", "-j", "1"]) == 0
    assert Path("link/more/run.json").read_bytes() == record
    monkeypatch.chdir("deep")
    assert why("more/a/2.png", capsys)[0]["sources"] == ["../clear/a/2.png"]
    assert main(["haze", "add", "../clear", "again", "--depth", "gradient", "-j", "1"]) == 0
    assert json.loads(Path("again/run.json").read_bytes())["parameters"]["src"] == "../clear"


def test_why_finds_the_sources_of_what_was_moved(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("all").mkdir()
    for name in ("pictures", "clear"):
        Path(name).rename(f"all/{name}")
    assert why("all/clear/a/2.png", capsys)[0]["sources"] == ["all/pictures/a/2.png"]
    monkeypatch.chdir("all")
    Path("clear").rename(place / "clear")
    assert why("../clear/a/2.png", capsys)[0]["state"] == ["unchanged"]
    assert why("../clear/a/2.png", capsys)[0]["sources"] == ["pictures/a/2.png"]
    monkeypatch.chdir("/")
    assert why(str(place / "clear/a/2.png"), capsys)[0]["state"] == ["gone"]


@pytest.mark.parametrize("name", ["clear", "clear/a", "clear/run.json"])
def test_what_was_made_of_the_whole_set_names_the_set(
    name: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (step,) = why(name, capsys)
    assert step["sources"] in (["pictures"], ["pictures/a"])


def test_why_of_damaged_books_is_no_traceback(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text in (
        "[]",
        "{}",
        '{"op": 3, "version": "x", "parameters": []}',
        '{"op": "haze.remove", "parameters": null}',
    ):
        Path("clear/run.json").write_text(text)
        assert main(["why", "clear/a/0.png"]) == 2
        assert main(["verify", "clear"]) == 1
        assert "Traceback" not in capsys.readouterr().err
