"""The text of any element of an annotation, for what a set keeps in tags of its own: a camera, a place, a video."""

import re

from lxml import etree

from datatools.core.errors import UsageError, escape
from datatools.io.voc import document

_PATH = re.compile(r"[^\W\d][\w.-]*(/[^\W\d][\w.-]*)*")
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def check_path(path: str) -> None:
    """Raise UsageError unless it is a tag, or several with "/" between them ("folder", "source/database")."""
    if not _PATH.fullmatch(path):
        raise UsageError(f"{escape(path)!r} is no tag of an annotation: write folder, or source/database")


def tag_text(data: bytes, name: str, path: str) -> str | None:
    """The text, without blanks around it, of the first element of that path below the root; None where there is none.

    Raises DataError, as `document.parse` does, for what is no sound annotation.

    >>> tag_text(b"<annotation><source><image>cam 2</image></source></annotation>", "a.xml", "source/image")
    'cam 2'
    """
    document.parse(data, name)
    text = etree.fromstring(data, _PARSER).findtext(path)
    return text.strip() if isinstance(text, str) and text.strip() else None
