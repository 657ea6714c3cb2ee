"""What a file or folder of data is, so that a pipeline can say beforehand whether an output fits the next input.

    def convert(
        src: Annotated[Dataset, Kind("{source_format}")],
        *,
        out: Annotated[OutFolder, Kind("{to}")],
        to: ...

An operation says it beside the parameter that names the file or folder. One on items says it by the values that it
takes and returns. Where nothing is said, anything goes.
"""

import re
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from datatools.core.op import Op
from datatools.core.values import Value

Kinds = frozenset[str]
"""Names of KINDS, any of which it may be; empty where nobody knows."""

UNKNOWN: Kinds = frozenset()


@dataclass(frozen=True, slots=True)
class Kind:
    """Stands in the Annotated of a parameter that names a file or folder: what that is.

    name: a key of KINDS, several with `|` between them, or `{parameter}`: whatever that parameter says.
    """

    name: str


KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "voc": ("a Pascal VOC set", ("labelled", "image")),
    "yolo": ("a YOLO set", ("labelled", "image")),
    "coco": ("a COCO set", ("labelled", "image")),
    "yolo-txt": ("lists of image paths with boxes", ("image",)),
    "jsonl": ("JSON lines of annotations", ("image",)),
    "image": ("pictures", ("clip",)),  # the frames of a video
    "labelled": ("pictures with boxes", ("voc", "image")),
    "textpage": ("pages with their texts", ("image",)),
    "textline": ("text lines", ("image",)),
    "classified": ("pictures in class folders", ("image",)),
    "audio": ("sound files", ()),
    "clip": ("videos", ("audio",)),
    "anchors": ("an anchors file", ()),
    "classes": ("a class list", ()),
    "picture": ("a picture", ("image",)),
    "page": ("a page to look at", ()),
}
"""A kind -> what it is called, and what else it can be read as. When in doubt a kind can be read as more: what does
not fit after all is found by the operation, but what is refused here cannot be run."""


def declared(op: Op[..., Any], parameter: str, arguments: Mapping[str, Any]) -> Kinds:
    """What the file or folder is that the parameter names, given the other arguments."""
    if op.items and parameter == op.params[0].name:
        return _of_values(op.items)
    defaults = {spec.name: spec.default for spec in op.params}
    names: set[str] = set()
    for text in said(op, parameter):
        filled = re.sub(r"\{(\w+)\}", lambda m: str(arguments.get(m[1], defaults.get(m[1]))), text)
        names.update(filled.split("|"))
    return frozenset(names) if names <= KINDS.keys() else UNKNOWN


def handed_on(op: Op[..., Any], parameter: str, arguments: Mapping[str, Any], given: Kinds) -> Kinds:
    """What the output is that the parameter names. given: what the operation reads.

    An operation that returns the values that it takes keeps the form of the set that it is given.
    """
    if not op.items or parameter != "out":
        return declared(op, parameter, arguments)
    return given or _of_values(op.items) if set(op.makes) & set(op.items) else _of_values(op.makes)


def _of_values(values: Iterable[type[Value]]) -> Kinds:
    """The kinds of sets of such values: their names in lower case."""
    names = {value.__name__.lower() for value in values}
    return frozenset(names) if names <= KINDS.keys() else UNKNOWN


def fits(have: Kinds, want: Kinds) -> bool:
    """Whether what is there can be read as what is wanted; what is unknown always can.

    >>> fits(frozenset({"voc"}), frozenset({"image"})), fits(frozenset({"anchors"}), frozenset({"voc"}))
    (True, False)
    """
    return not have or not want or any(want & {kind, *KINDS[kind][1]} for kind in have)


def phrase(kinds: Iterable[str]) -> str:
    """The kinds in words.

    >>> phrase({"yolo", "voc"})
    'a Pascal VOC set or a YOLO set'
    """
    return " or ".join(KINDS[kind][0] for kind in sorted(kinds))


def said(op: Op[..., Any], parameter: str) -> list[str]:
    """The names of the Kinds in the annotation of a parameter, as they stand there."""
    return list(_in_hint(typing.get_type_hints(op.function, include_extras=True).get(parameter)))


def _in_hint(hint: Any) -> Iterator[str]:
    yield from (extra.name for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Kind))
    for inner in typing.get_args(hint):
        yield from _in_hint(inner)
