"""What operations say about the files and folders that they read and make."""

from typing import Any

import pytest

from datatools.core import kinds, op
from datatools.core.kinds import KINDS, UNKNOWN, declared, fits, handed_on


@pytest.mark.parametrize(
    ("name", "parameter", "arguments", "found"),
    [
        ("voc.fix", "src", {}, {"voc"}),
        ("voc.fix", "out", {}, {"voc"}),
        ("voc.merge", "srcs", {}, {"voc"}),
        ("voc.convert", "src", {}, {"voc"}),  # the default
        ("voc.convert", "src", {"source_format": "coco"}, {"coco"}),
        ("voc.convert", "out", {"to": "yolo-txt"}, {"yolo-txt"}),
        ("voc.convert", "out", {}, set()),
        ("anchors.kmeans", "out", {}, {"anchors"}),
        ("anchors.kmeans", "plot", {}, set()),
        ("anchors.check", "anchors", {}, {"anchors"}),
        ("haze.remove", "src", {}, {"image", "clip"}),
    ],
)
def test_what_is_declared(name: str, parameter: str, arguments: dict[str, Any], found: set[str]) -> None:
    assert declared(op.find(name), parameter, arguments) == found


def test_an_operation_that_returns_what_it_takes_keeps_the_form_of_the_set() -> None:
    remove = op.find("haze.remove")
    assert handed_on(remove, "out", {}, frozenset({"voc"})) == {"voc"}
    assert handed_on(remove, "out", {}, UNKNOWN) == {"image", "clip"}
    assert handed_on(op.find("voc.convert"), "out", {"to": "coco"}, frozenset({"voc"})) == {"coco"}


def test_what_fits() -> None:
    def one(name: str) -> kinds.Kinds:
        return frozenset({name})

    assert fits(one("yolo"), one("image"))
    assert fits(one("labelled"), one("voc"))
    assert not fits(one("yolo"), one("voc"))
    assert not fits(one("image"), one("voc"))
    assert fits(UNKNOWN, one("voc"))
    assert fits(one("voc"), UNKNOWN)
    assert fits(one("voc") | one("audio"), one("audio"))


def test_every_kind_can_be_read_as_kinds_that_there_are() -> None:
    for others in (others for _, others in KINDS.values()):
        assert set(others) <= KINDS.keys()


def test_every_declared_kind_is_one_that_there_is() -> None:
    for name in op.names():
        found = op.find(name)
        specs = {spec.name: spec for spec in found.params}
        for spec in found.params:
            for said in kinds.said(found, spec.name):
                for part in said.split("|"):
                    choices = specs[part.strip("{}")].choices if part.startswith("{") else (part,)
                    assert set(choices) <= KINDS.keys(), f"{name}: {part}"
