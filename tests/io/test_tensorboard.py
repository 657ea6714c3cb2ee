"""Event files: TensorBoard itself reads what was written."""

import warnings
from pathlib import Path

import pytest

from datatools.core.errors import StorageError
from datatools.io import tensorboard


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the packages that it loads
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        made = EventAccumulator(str(folder))
        made.Reload()
        return {tag: [(e.step, e.value) for e in made.Scalars(tag)] for tag in made.Tags()["scalars"]}


def test_tensorboard_reads_the_curves(tmp_path: Path) -> None:
    path = tmp_path / tensorboard.NAME
    tensorboard.begin(path, [tensorboard.event(10, {"loss/train": 2.5, "Genauigkeit/ä": 0.125})])
    for step, loss in ((300, 1.25), (70_000, 0.5)):
        tensorboard.append(path, tensorboard.event(step, {"loss/train": loss}))
    assert read(tmp_path) == {"loss/train": [(10, 2.5), (300, 1.25), (70_000, 0.5)], "Genauigkeit/ä": [(10, 0.125)]}


def test_a_file_that_begins_anew_is_the_same_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "a", tmp_path / "b"
    events = [tensorboard.event(step, {"lr": 1 / (step + 1)}) for step in range(3)]
    tensorboard.begin(one, events)
    tensorboard.begin(two, events[:1])
    for event in events[1:]:
        tensorboard.append(two, event)
    assert one.read_bytes() == two.read_bytes()


def test_check_sums_are_those_of_the_standard() -> None:
    # RFC 3720, B.4: 32 bytes of zeros have CRC-32C 8a9136aa; the mask is TFRecord's
    crc = 0x8A9136AA
    masked = (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
    assert tensorboard._checksum(bytes(32)) == masked.to_bytes(4, "little")


def test_a_missing_file_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot write"):
        tensorboard.append(tmp_path / "absent", b"x")
