"""`datatools ocr dict`: the characters of a set as a dictionary, and what of another set it covers."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from datatools.core.census import count_of
from datatools.core.characters import kinds
from datatools.core.errors import DataError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Dataset, Run
from datatools.ops.ocr.options import FormatOption

SHOWN = 20
"""So many rows are shown on a terminal; JSON has all."""


@dataclass(frozen=True)
class Coverage:
    """How much of another set a dictionary covers. missing: characters that it lacks -> how often, commonest first.

    texts, characters: of the other set, blanks left out; covered_texts: without a missing character.
    """

    src: Path
    texts: int
    covered_texts: int
    characters: int
    covered_characters: int
    missing: dict[str, int]


@dataclass(frozen=True)
class DictResult(Result):
    """A dictionary. characters: each with how often it occurs, by code point; without the blank, of which there are
    `blanks`. unseen: characters that are left out since nobody can see them -> how often. texts: that were read.
    """

    src: Path
    characters: dict[str, int]
    blanks: int
    unseen: dict[str, int]
    texts: int
    coverage: Coverage | None
    failures: tuple[DataError, ...]
    out: Path | None = None

    @property
    def problems(self) -> int:
        """How many lines could not be read."""
        return len(self.failures)

    @property
    def written(self) -> tuple[Path, ...]:
        """The dictionary, where it was written."""
        return (self.out,) if self.out else ()

    def lines(self) -> Iterator[str | Table]:
        """Kinds of characters, the rarest, coverage, and what to do next."""
        yield from map(str, self.failures[:SHOWN])
        if len(self.failures) > SHOWN:
            yield f"... and {len(self.failures) - SHOWN:,} more lines that could not be read (--json lists all)"
        total = sum(self.characters.values())
        rows = tuple((name, len(members), sum(self.characters[c] for c in members), _sample(members))
                     for name, members in kinds(self.characters).items())  # fmt: skip
        if rows:
            yield Table(("kind", "characters", "occurrences", "such as"), rows)
        yield (
            f"{escape(self.src)}: {count_of(self.texts, 'text')}, {total:,} characters, "
            f"{len(self.characters):,} different"
        )
        rare = [c for c, count in self.characters.items() if count < 3]
        if rare:
            yield f"{len(rare):,} occur once or twice, too rarely to be learned: {_sample(rare)}"
        if self.blanks:
            yield f"{count_of(self.blanks, 'blank')} in texts, not in the dictionary: set use_space_char: true"
        if self.unseen:
            named = ", ".join(f"U+{ord(c):04X} ({count})" for c, count in self.unseen.items())
            yield f"left out, as nobody can see them: {named}"
        if self.coverage:
            yield from _covered(self.coverage)
        if self.out:
            yield f"wrote {escape(self.out)}"
            yield f"next: datatools ocr lint {escape(self.src)} --dict {escape(self.out)}"
        else:
            yield f"next: datatools ocr dict {escape(self.src)} -o dict.txt"


@op("ocr.dict", version=1)
def dict_(
    src: Dataset,
    *,
    out: Annotated[
        Path | None,
        Param("write the dictionary, a character a line", flags=("-o", "--out"), metavar="FILE", writes="file"),
    ] = None,
    coverage: Annotated[
        Path | None, Param("say which characters of this other set the dictionary lacks", metavar="SET")
    ] = None,
    format: FormatOption = "auto",
    run: Run = SERIAL,
) -> DictResult:
    """Make the dictionary of a text set: every character that occurs in a text, in the order of Unicode.

    Texts of regions that are ignored do not count. The blank is left out, as trainers add it themselves.
    """
    from datatools.io.textsets import sets

    found = sets.read(src, format, run)
    texts = list(found.texts())
    counts = Counter(c for text in texts for c in text)
    unseen = {c: counts[c] for c in sorted(counts) if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")}
    characters = {c: counts[c] for c in sorted(counts) if c not in unseen and c != " "}
    other = None
    failures = found.failures
    if coverage is not None:
        second = sets.read(coverage, "auto", run)
        other = _cover(coverage, list(second.texts()), frozenset(characters))
        failures += second.failures
    if out is not None:
        from datatools.io import atomic
        from datatools.io.paddleocr.dictionary import file_of

        atomic.write_bytes(out, file_of(characters))
    return DictResult(
        src=src,
        characters=characters,
        blanks=counts[" "],
        unseen=unseen,
        texts=len(texts),
        coverage=other,
        failures=failures,
        out=out,
    )


def _cover(src: Path, texts: list[str], known: frozenset[str]) -> Coverage:
    counts = Counter(c for text in texts for c in text if c != " ")
    missing = {c: n for c, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if c not in known}
    return Coverage(
        src=src,
        texts=len(texts),
        covered_texts=sum(not any(c in missing for c in text) for text in texts),
        characters=counts.total(),
        covered_characters=counts.total() - sum(missing.values()),
        missing=missing,
    )


def _covered(c: Coverage) -> Iterator[str | Table]:
    if c.missing:
        rows = tuple((escape(one), f"U+{ord(one):04X}", count) for one, count in c.missing.items())
        more = f" (the {SHOWN} commonest of {len(rows):,})" if len(rows) > SHOWN else ""
        yield Table(("character", "code point", "found"), rows[:SHOWN], title=f"not in the dictionary{more}")
    if not c.texts:
        yield f"{escape(c.src)}: has no text to cover"
        return
    shares = c.covered_characters / max(c.characters, 1), c.covered_texts / c.texts
    yield (
        f"{escape(c.src)}: {shares[0]:.2%} of {c.characters:,} characters and {shares[1]:.2%} of "
        f"{count_of(c.texts, 'text')} are covered"
    )


def _sample(characters: Iterable[str], most: int = 24) -> str:
    each = list(characters)
    return escape("".join(each[:most])) + (" ..." if len(each) > most else "")
