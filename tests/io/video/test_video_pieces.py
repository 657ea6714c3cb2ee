"""Long work that is killed goes on behind the last whole piece."""

from pathlib import Path

from datatools.io.video.pieces import Pieces


def test_whole_pieces_are_found_again_and_begun_ones_are_not(tmp_path: Path) -> None:
    pieces = Pieces(tmp_path / "p", "job 1")
    for number in range(3):
        (pieces.begin() / "a.txt").write_text(str(number))
        if number < 2:
            pieces.keep({"frames": number})
    again = Pieces(tmp_path / "p", "job 1")
    assert again.told == [{"frames": 0}, {"frames": 1}]
    assert [path.read_text() for path in again.files("a.txt")] == ["0", "1"]
    assert not list((tmp_path / "p").glob("*.part"))
    assert list(again.begin().iterdir()) == []


def test_pieces_of_another_job_are_thrown_away(tmp_path: Path) -> None:
    pieces = Pieces(tmp_path / "p", "job 1")
    pieces.begin()
    pieces.keep(1)
    assert Pieces(tmp_path / "p", "job 2").count == 0
    assert Pieces(tmp_path / "p", "job 1").count == 0


def test_nothing_is_left_when_the_job_is_done(tmp_path: Path) -> None:
    pieces = Pieces(tmp_path / "p", "job 1")
    pieces.begin()
    pieces.keep(1)
    pieces.remove()
    assert list(tmp_path.iterdir()) == []
