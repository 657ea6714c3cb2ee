"""What the copies of items are called."""

import re
from collections.abc import Iterable

from datatools.core.values import Source

_NUMBERED = re.compile(r"(.*?)(_+)([1-9][0-9]{0,4})", re.DOTALL)


def tag_for(sources: Iterable[Source], copies: int) -> str:
    """What stands between an item's name and the number of a copy: as many `_` as it takes for no copy to be called
    like another item. A set that was augmented before has such items.

    >>> tag_for([Source("a", ("a.jpg",)), Source("b", ("b.jpg",))], 2)
    '_'
    >>> tag_for([Source("a", ("a.jpg",)), Source("a_1", ("a_1.jpg",))], 2)
    '__'
    """
    stems = {source.files[0].rpartition(".")[0] for source in sources if source.files}
    taken: set[int] = set()
    for stem in stems:
        if (match := _NUMBERED.fullmatch(stem)) and int(match[3]) <= copies:
            before = match[1] + match[2]
            taken.update(k for k in range(1, len(match[2]) + 1) if before[:-k] in stems)
    count = 1
    while count in taken:
        count += 1
    return "_" * count
