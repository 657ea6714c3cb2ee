"""Pictures made of pages or lines of text, with a label file a split and a manifest: what crop and cls-set write."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from datatools.core.errors import DataError
from datatools.core.values import Source, TextCuts
from datatools.io import images
from datatools.io.codecs.lists import Lists
from datatools.io.intake import Intake
from datatools.io.paddleocr.texts import line_of
from datatools.io.room import Room

MANIFEST = "manifest.jsonl"
UNSPLIT = "labels.txt"
"""The label file of what is in no split."""


class TextCutsCodec:
    """Pictures keep the folders of what they are made of; JPEG is written with quality 95."""

    suffixes: frozenset[str] = frozenset()
    wants_rows = True

    def recognises(self, root: Path) -> bool:
        """Never: this only writes."""
        return False

    def find(self, root: Path) -> Iterator[Source]:
        """Nothing."""
        return iter(())

    def read(self, source: Source, intake: Intake) -> TextCuts:
        """Never called."""
        raise NotImplementedError

    def write(self, value: TextCuts, source: Source, room: Room, variant: str) -> Any:
        """Write the pictures of one item; note their labels, and what was left out and why."""
        path = PurePosixPath(source.files[0])
        made = []
        for end, pixels, label in value.cuts:
            name = str(path.with_name(f"{path.stem}{variant}{end}{value.suffix}"))
            try:
                line_of(name, label)
            except ValueError as error:
                raise DataError(source.id, 0, "E-LABEL-WRITE", str(error)) from None
            room.write(name, images.encode(pixels, value.suffix))
            made.append([name, label])
        return [made, [list(one) for one in value.left_out]]

    def finish(self, rows: Iterable[tuple[Source, Any]], root: Path, room: Room) -> Mapping[str, int]:
        """Write a label file a split, the manifest (a JSON line a picture, or one left out), and count both."""
        counts: Counter[str] = Counter()
        with Lists(room) as lists:
            for source, (made, left_out) in rows:
                label_file = f"{source.group}.txt" if source.group else UNSPLIT
                for name, label in made:
                    lists.add(label_file, line_of(name, label))
                    lists.add(MANIFEST, _told(name, source, label=label))
                for end, why in left_out:
                    lists.add(MANIFEST, _told("", source, end=end, left_out=why))
                    counts[f"left out, {why}"] += 1
                counts["pictures"] += len(made)
        return dict(sorted(counts.items(), key=lambda pair: (pair[0] != "pictures", pair[0])))


def _told(name: str, source: Source, **more: str) -> str:
    told = {"image": name, "source": source.files[0], "split": source.group, **more}
    return json.dumps({k: v for k, v in told.items() if v or k == "label"}, ensure_ascii=False) + "\n"
