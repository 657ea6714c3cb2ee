"""Characters sorted by what they are."""

import unicodedata
from collections.abc import Iterable


def kinds(characters: Iterable[str]) -> dict[str, list[str]]:
    """Sort characters: digits, signs, and letters by the script that the first word of their Unicode name tells.

    >>> {kind: "".join(members) for kind, members in kinds("a1中b-é").items()}
    {'latin': 'abé', 'digit': '1', 'cjk': '中', 'sign': '-'}
    """
    found: dict[str, list[str]] = {}
    for c in characters:
        category = unicodedata.category(c)
        kind = "digit" if category == "Nd" and c.isascii() else "sign"
        if category[0] == "L" or category == "Mn":
            kind = unicodedata.name(c, "unnamed").split()[0].split("-")[0].lower()
        found.setdefault(kind, []).append(c)
    return found
