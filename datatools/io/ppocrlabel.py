r"""What PPOCRLabel, PaddleOCR's annotation tool, keeps beside the images of a folder.

Label.txt holds the labels of the images that somebody has confirmed, as PaddleOCR reads them, each called
`<folder>/<image>`; fileState.txt the confirmed images, `path\t1`; Cache.cach labels that a model made and nobody has
looked at. A confirmed image without a text stands in fileState.txt alone. When the tool saves, it drops every label
whose image is not in fileState.txt, so a Label.txt without one loses its labels.
"""

from collections.abc import Iterable, Sequence

from datatools.core.records import TextRegion
from datatools.io.paddleocr.lines import check_path, split
from datatools.io.paddleocr.pages import label_of

LABELS, STATE, DRAFTS = "Label.txt", "fileState.txt", "Cache.cach"


def confirmed(data: bytes) -> tuple[str, ...]:
    r"""Return the images of a fileState.txt, by the last two parts of their paths, as Label.txt calls them.

    >>> confirmed(b"/home/me/box/a 1.jpg\t1\nC:\\box\\b.jpg\t1\n")
    ('box/a 1.jpg', 'box/b.jpg')
    """
    found = split(data, STATE).lines
    return tuple(dict.fromkeys("/".join(line.path.replace("\\", "/").split("/")[-2:]) for line in found))


def drafted(data: bytes) -> tuple[str, ...]:
    """Return the images of a Cache.cach."""
    return tuple(dict.fromkeys(line.path for line in split(data, DRAFTS).lines))


def label_bytes(folder: str, pages: Iterable[tuple[str, Sequence[TextRegion]]]) -> bytes:
    r"""Return a Label.txt. folder: the name of the folder that it will lie in. pages: images of it, with their regions.

    Pages without a region are left out, as the tool does. Every region gets the key `difficult`, without which the tool
    does not start. Raises ValueError for what cannot be written.

    >>> label_bytes("box", [("a.jpg", [TextRegion(((0., 0.), (9., 0.), (9., 5.), (0., 5.)), "a")])])
    b'box/a.jpg\t[{"transcription": "a", "points": [[0, 0], [9, 0], [9, 5], [0, 5]], "difficult": false}]\n'
    """
    lines = []
    for image, regions in pages:
        path = f"{folder}/{image}"
        check_path(path)
        if regions:
            lines.append(f"{path}\t{label_of(map(_with_difficult, regions))}\n")
    return "".join(lines).encode()


def _with_difficult(region: TextRegion) -> TextRegion:
    if any(key == "difficult" for key, _ in region.extra):
        return region
    return TextRegion(region.points, region.text, region.ignore, (*region.extra, ("difficult", "false")))


def state_bytes(place: str, images: Iterable[str]) -> bytes:
    r"""Return a fileState.txt that confirms the images. place: the absolute path of their folder.

    >>> state_bytes("/data/box", ["a.jpg"])
    b'/data/box/a.jpg\t1\n'
    """
    lines = []
    for image in images:
        check_path(f"{place}/{image}")
        lines.append(f"{place}/{image}\t1\n")
    return "".join(lines).encode()
