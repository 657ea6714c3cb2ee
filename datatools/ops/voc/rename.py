"""`voc rename`: a copy of a set with other class names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, DryRun, Force, OutVocFolder, Run, VocFolder
from datatools.ops.voc import derived
from datatools.ops.voc.derived import Link, Rule


@dataclass(frozen=True)
class Renamed(Result):
    """What `voc rename` did, or would do.

    items: of the source: written, or named in `failures`. names: old name -> new one. renamed: old name -> objects.
    objects: class -> how many the output has.
    """

    out: Path
    items: int
    names: dict[str, str]
    renamed: dict[str, int]
    objects: dict[str, int]
    list_notes: tuple[str, ...]
    dry_run: bool
    failures: tuple[DataError, ...]

    @property
    def problems(self) -> int:
        """How many items could not be read."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """Old and new names, then the figures."""
        yield from map(str, self.failures)
        rows = tuple((old, new, self.renamed.get(old, 0)) for old, new in self.names.items())
        yield Table(("class", "new name", "objects"), rows)
        merged = [new for new in dict.fromkeys(self.names.values()) if self._sources(new) > 1]
        if merged:
            yield f"Several classes are one now: {', '.join(map(escape, merged))}"
        yield from self.list_notes
        yield (
            f"{self.items} items: {self.items - len(self.failures)} written, {len(self.failures)} rejected; "
            f"{sum(self.renamed.values())} objects renamed, {len(self.objects)} classes."
        )
        yield derived.closing(self.out, self.dry_run)

    def _sources(self, new: str) -> int:
        """How many classes of the source have this name now."""
        mapped = sum(name == new for name in self.names.values())
        unchanged = new not in self.names and self.objects.get(new, 0) > sum(
            self.renamed.get(old, 0) for old, name in self.names.items() if name == new
        )
        return mapped + unchanged


@op("voc.rename", version=1)
def rename(
    src: VocFolder,
    *,
    out: OutVocFolder,
    map: Annotated[tuple[str, ...], Param("old name = new name", metavar="OLD=NEW")] = (),
    map_file: Annotated[Path | None, Param("file of lines OLD=NEW, or a JSON object")] = None,
    link: Link = "hard",
    force: Force = False,
    dry_run: DryRun = False,
    run: Run = SERIAL,
) -> Renamed:
    """Copy a set with other class names; two classes with one new name become one. The rest of each XML stays.

    All names change at once, so that two can be swapped. UsageError for a class that the set does not have.
    """
    from datatools.io.voc.layout import open_set
    from datatools.io.voc.scan import read_table

    names = _names(map, map_file)
    voc_set = open_set(src)
    table = read_table(voc_set, run=run)
    derived.check_known(names, table.classes)
    made = derived.derive(voc_set, Rule(names=names), table.coords, run)
    if not dry_run:
        derived.write(run.track(made.entries, "write"), out, link=link, force=force, inputs=(src,))
    return Renamed(
        out=out,
        items=len(voc_set.items),
        names=names,
        renamed=made.renamed,
        objects=made.objects,
        list_notes=made.list_notes,
        dry_run=dry_run,
        failures=made.failures,
    )


def _names(words: Iterable[str], file: Path | None) -> dict[str, str]:
    """Old name -> new name, from the words and the file."""
    pairs = [_pair(word, "--map") for word in words] + (list(_pairs_of(file)) if file else [])
    names: dict[str, str] = {}
    for old, new in pairs:
        if names.setdefault(old, new) != new:
            raise UsageError(f"{old!r} would get two names: {names[old]!r} and {new!r}")
        if not new or new != new.strip() or not new.isprintable():
            raise UsageError(
                f"{new!r} is no name for a class: it is empty, or has blanks at an end or control characters"
            )
    if not names:
        raise UsageError("nothing to rename: give --map OLD=NEW or --map-file FILE")
    return names


def _pair(text: str, where: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not equals or not old:
        raise UsageError(f"{escape(where)}: {text!r} is not OLD=NEW")
    return old, new


def _pairs_of(file: Path) -> Iterator[tuple[str, str]]:
    from datatools.io.files import read_bytes
    from datatools.io.jsontext import load

    try:
        data = read_bytes(file)
        if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
            value = load(data, str(file))
            if not all(isinstance(new, str) for new in value.values()):
                raise UsageError(f"{escape(file)}: every value must be a text")
            yield from value.items()
            return
        text = data.decode("utf-8-sig")
    except DataError as error:
        raise UsageError(str(error)) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{escape(file)}: not UTF-8 at byte {error.start}") from None
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() and not line.startswith("#"):
            yield _pair(line.rstrip("\r"), f"{file}:{number}")
