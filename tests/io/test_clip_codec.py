"""Which videos a folder holds, and what they are called."""

from pathlib import Path

from datatools.io.codecs.clip import STILLS, ClipCodec


def ids(root: Path, *names: str) -> list[tuple[str, str, int]]:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return [(source.id, source.kind, len(source.files)) for source in ClipCodec().find(root)]


def test_videos_are_called_by_their_names_without_suffix(tmp_path: Path) -> None:
    assert ids(tmp_path, "b.mp4", "a.AVI", "sub/c.mkv", "notes.txt") == [("a", "", 1), ("b", "", 1), ("sub/c", "", 1)]


def test_equal_names_keep_their_suffixes(tmp_path: Path) -> None:
    found = ids(tmp_path, "a.mp4", "a.avi", "b.mov", "b/f1.png", "c.webm")
    assert found == [("a.avi", "", 1), ("a.mp4", "", 1), ("b.mov", "", 1), ("c", "", 1), ("b", STILLS, 1)]


def test_pictures_of_a_folder_are_one_video_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    assert ids(tmp_path, "f10.jpg", "f9.jpg", "x/in2.png", "x/in1.png") == [("frames", STILLS, 2), ("x", STILLS, 2)]
    (first, second) = ClipCodec().find(tmp_path)
    assert first.files == ("f9.jpg", "f10.jpg")
    assert second.files == ("x/in1.png", "x/in2.png")


def test_a_video_called_frames_beside_pictures_keeps_its_suffix(tmp_path: Path) -> None:
    assert ids(tmp_path, "frames.mp4", "f1.png") == [("frames.mp4", "", 1), ("frames", STILLS, 1)]


def test_an_empty_folder_is_not_recognised(tmp_path: Path) -> None:
    assert not ClipCodec().recognises(tmp_path)
    ids(tmp_path, "a.mp4")
    assert ClipCodec().recognises(tmp_path)
