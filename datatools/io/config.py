"""YAML as configuration: the JSON-like core of YAML 1.2, strictly, with the place of every value.

What YAML can do beyond that is where its bombs and surprises live (aliases and merge keys that expand without end,
`on` that means true, `1:30` that means 90, the last of two equal keys winning), so it is refused or plain text here.
The event stream is turned into values directly; the C loader's constructor, which overflows its stack on deep
nesting, is never reached.
"""

import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from datatools.core.errors import UsageError, escape

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_NODES = 20_000

_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}

_Parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Path = tuple[str | int, ...]


@dataclass
class Marked:
    """A document and the place of each of its values.

    value: dicts with text keys, lists, text, int, float, bool, None.
    places: (key, index, ...) of a value -> (line, column), 1-based; a dict's entry has the place of its key.
    """

    name: str
    value: Any = None
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def place(self, path: Path) -> tuple[int, int]:
        """Line and column of the value at `path`, or of the nearest one above it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))

    def where(self, path: Path) -> str:
        """`file:line:column` of it."""
        line, column = self.place(path)
        return f"{escape(self.name)}:{line}:{column}"


def load_yaml(data: bytes, name: str) -> Any:
    """Return the document's value. name: the file's name for messages. UsageError says where what is wrong."""
    return load_marked(data, name).value


def load_marked(data: bytes, name: str) -> Marked:
    """Return the document's value with the place of every part. UsageError says where what is wrong."""
    document = Marked(name)
    if len(data) > MAX_BYTES:
        raise UsageError(f"{escape(name)}: larger than {MAX_BYTES} bytes, which no configuration is")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{escape(name)}: not UTF-8 at byte {error.start}") from None
    loader = _Parser(text)
    try:
        document.value = _Reader(loader, document).read()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = "" if mark is None else f":{mark.line + 1}:{mark.column + 1}"
        problem = error.problem or error.context or "not YAML"
        if "nesting depth" in problem:  # the parser looks ahead, and has a limit of its own
            problem = f"nested deeper than {MAX_DEPTH} levels"
        raise UsageError(f"{escape(name)}{place}: {escape(problem)}") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{escape(name)}: {escape(str(error).splitlines()[0])}") from None
    finally:
        loader.dispose()
    return document


class _Reader:
    """Builds values from events, counting as it goes."""

    def __init__(self, loader: Any, document: Marked) -> None:
        self.loader = loader
        self.document = document
        self.nodes = 0

    def read(self) -> Any:
        self.loader.get_event()  # stream start
        if self.loader.check_event(yaml.StreamEndEvent):
            return None
        self.loader.get_event()  # document start
        value = self.node(())
        self.loader.get_event()  # document end
        event = self.loader.get_event()
        if not isinstance(event, yaml.StreamEndEvent):
            raise self.error(event, "a second document; keep one a file")
        return value

    def node(self, path: Path) -> Any:
        event = self.loader.get_event()
        self.nodes += 1
        self.document.places.setdefault(path, _place(event))
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self.error(event, "anchors and aliases are not taken here; use `vars`")
        if event.tag is not None and event.tag != "!":
            raise self.error(event, "tags are not taken here")
        if len(path) > MAX_DEPTH:
            raise self.error(event, f"nested deeper than {MAX_DEPTH} levels")
        if self.nodes > MAX_NODES:
            raise self.error(event, f"more than {MAX_NODES} values")
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not self.loader.check_event(yaml.SequenceEndEvent):
                items.append(self.node((*path, len(items))))
            self.loader.get_event()
            return items
        return self.mapping(path)

    def mapping(self, path: Path) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while not self.loader.check_event(yaml.MappingEndEvent):
            event = self.loader.peek_event()
            if not isinstance(event, yaml.ScalarEvent) or event.anchor is not None or event.tag is not None:
                raise self.error(event, "a key must be plain text")
            self.loader.get_event()
            key = event.value
            if key in entries:
                raise self.error(event, f"the key {key!r} stands here twice")
            if key == "<<":
                raise self.error(event, "merge keys are not taken here")
            self.document.places[(*path, key)] = _place(event)
            entries[key] = self.node((*path, key))
        self.loader.get_event()
        return entries

    def scalar(self, event: Any) -> Any:
        text: str = event.value
        if event.style:  # quoted or a block: text, whatever it looks like
            return text
        if text in _NULL:
            return None
        if text in _BOOL:
            return _BOOL[text]
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if not math.isfinite(number):
                raise self.error(event, f"{text} is too large a number")
            return number
        return text

    def error(self, event: Any, what: str) -> UsageError:
        line, column = _place(event)
        return UsageError(f"{escape(self.document.name)}:{line}:{column}: {what}")


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1
