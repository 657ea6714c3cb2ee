"""Sound is kept where the program ffmpeg is, and its loss is told where it is not."""

from pathlib import Path

import pytest

from datatools.io.video import audio, containers, read


def test_without_the_program_there_is_no_sound_and_that_is_said(
    tmp_path: Path, fixture_video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    lost = audio.add_sound(fixture_video / "walkers.mp4", fixture_video / "sound.mp4", tmp_path / "a.mp4")
    assert lost is not None
    assert "W-VIDEO-SOUND: the sound is not kept: the program ffmpeg is not installed (apt-get" in str(lost)
    assert not (tmp_path / "a.mp4").exists()


@pytest.mark.skipif(not audio.available(), reason="the program ffmpeg is not installed")
def test_with_the_program_the_sound_is_added_and_the_pictures_stay(tmp_path: Path, fixture_video: Path) -> None:
    made = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for path in made:
        assert audio.add_sound(fixture_video / "scenes.mp4", fixture_video / "sound.mp4", path) is None
    assert made[0].read_bytes() == made[1].read_bytes()
    said = containers.read_container(made[0])
    assert (said.video, said.audio, said.frames) == (1, 1, 60)
    with read.open_video(fixture_video / "scenes.mp4") as before, read.open_video(made[0]) as after:
        for one, other in zip(before, after, strict=True):
            assert one.t_s == pytest.approx(other.t_s, abs=1e-4)
            assert (one.bgr == other.bgr).all()


@pytest.mark.skipif(not audio.available(), reason="the program ffmpeg is not installed")
def test_a_source_without_sound_is_told(tmp_path: Path, fixture_video: Path) -> None:
    lost = audio.add_sound(fixture_video / "walkers.mp4", fixture_video / "scenes.mp4", tmp_path / "a.mp4")
    assert lost is not None
    assert lost.code == "W-VIDEO-SOUND"
    assert not (tmp_path / "a.mp4").exists()
