"""Long work that is killed goes on behind the last whole piece."""

from pathlib import Path

from datatools.io.video.pieces import Pieces


def job(folder: Path, key: str = "job 1") -> Pieces:
    return Pieces(folder / "p", key)


def work(pieces: Pieces, *numbers: int) -> None:
    for number in numbers:
        (pieces.begin() / "a.txt").write_text(str(number))
        pieces.keep({"frames": number})


def test_what_was_secured_is_found_again_and_nothing_else(tmp_path: Path) -> None:
    pieces = job(tmp_path)
    work(pieces, 0, 1)
    pieces.secure(b"first")
    work(pieces, 2)
    pieces.secure(b"second")
    work(pieces, 3)
    (pieces.begin() / "b.txt").write_text("cut off here")
    again = job(tmp_path)
    assert again.told == [{"frames": 0}, {"frames": 1}, {"frames": 2}]
    assert again.state == b"second"
    assert [path.read_text() for path in again.files("a.txt")] == ["0", "1", "2"]
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == [
        "000000", "000001", "000002", "mark.json", "state-3",
    ]  # fmt: skip
    work(again, 3)
    assert [path.read_text() for path in again.files("a.txt")] == ["0", "1", "2", "3"]


def test_work_without_a_state_is_secured_too(tmp_path: Path) -> None:
    pieces = job(tmp_path)
    work(pieces, 0)
    pieces.secure(None)
    assert job(tmp_path).told == [{"frames": 0}]
    assert job(tmp_path).state is None


def test_pieces_that_nobody_secured_or_of_another_job_are_thrown_away(tmp_path: Path) -> None:
    work(job(tmp_path), 0)
    pieces = job(tmp_path)
    assert pieces.count == 0
    work(pieces, 0)
    pieces.secure(b"")
    assert job(tmp_path, "job 2").count == 0
    assert list((tmp_path / "p").iterdir()) == []


def test_a_mark_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    pieces = job(tmp_path)
    work(pieces, 0)
    pieces.secure(b"")
    (tmp_path / "p/mark.json").write_bytes(b"\0\0\0")
    assert job(tmp_path).count == 0


def test_nothing_is_left_when_the_job_is_done(tmp_path: Path) -> None:
    pieces = job(tmp_path)
    work(pieces, 0)
    pieces.secure(b"state")
    pieces.remove()
    assert list(tmp_path.iterdir()) == []
