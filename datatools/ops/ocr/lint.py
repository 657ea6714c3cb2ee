"""`datatools ocr lint`: every problem of a PaddleOCR set in one pass."""

import functools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from datatools.core.census import count_of
from datatools.core.errors import DataError, UsageError, escape
from datatools.core.findings import Finding, beyond, order
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Dataset, Run
from datatools.ops.ocr import checks, lines, outlines
from datatools.ops.ocr.checks import Seen, TextRules
from datatools.ops.ocr.codes import CODES, finding
from datatools.ops.ocr.lines import Labelled
from datatools.ops.ocr.outlines import Outline

if TYPE_CHECKING:
    from datatools.io.paddleocr.layout import OcrSet

OWN_DICTIONARY = "dict.txt"
SHOWN_CHARACTERS = 30
"""So many characters outside of the dictionary are shown; JSON has all."""


@dataclass(frozen=True)
class Lint(Result):
    """What lint found.

    findings: sorted by file, line and code, without those ignored and those of the baseline (`known` of them).
    label_files, labels, images: how many were looked at, labels being lines that could be read.
    outside: characters outside of the dictionary -> how often; None without a dictionary.
    notes: what a reader of the findings should know about the set.
    """

    findings: tuple[Finding, ...]
    label_files: int
    labels: int
    images: int
    known: int
    outside: dict[str, int] | None = None
    notes: tuple[str, ...] = ()
    format: Literal["text", "json", "sarif", "junit"] = field(default="text", repr=False)

    @property
    def problems(self) -> int:
        """The errors: warnings alone do not fail a run."""
        return sum(f.severity == "error" for f in self.findings)

    def lines(self) -> Iterator[str | Table]:
        """The findings in the format that was asked for; as text, with a summary after them."""
        import json

        from datatools import __version__
        from datatools.report import findings as formats

        match self.format:
            case "json":
                yield json.dumps(self.to_json(), indent=1)
            case "sarif":
                yield formats.sarif(self.findings, CODES, __version__)
            case "junit":
                yield from formats.junit(self.findings, CODES, self.label_files)
            case _:
                yield from map(str, self.findings)
                yield from self._summary()

    def _summary(self) -> Iterator[str | Table]:
        if self.findings:
            yield CODES.table(self.findings)
        if self.outside:
            rows = tuple((escape(c), f"U+{ord(c):04X}", count) for c, count in self.outside.items())
            more = len(rows) - SHOWN_CHARACTERS
            title = "outside of the dictionary" + (f" (the {SHOWN_CHARACTERS} commonest, {more} more)" * (more > 0))
            yield Table(("character", "code point", "found"), rows[:SHOWN_CHARACTERS], title=title)
        yield from self.notes
        if self.known:
            yield f"{count_of(self.known, 'finding')} of the baseline not shown"
        looked_at = (
            f"{count_of(self.label_files, 'label file')}, {count_of(self.labels, 'label')}, "
            f"{count_of(self.images, 'image')}"
        )
        if not self.findings:
            yield f"{looked_at}: nothing found"
            return
        warnings = len(self.findings) - self.problems
        yield f"{looked_at}: {count_of(self.problems, 'error')}, {count_of(warnings, 'warning')}"
        yield "next: each line names its remedy; --ignore CODE leaves a code out"


@op("ocr.lint", version=1)
def lint(
    src: Dataset,
    *,
    format: Annotated[
        Literal["text", "json", "sarif", "junit"], Param("text for people, json, sarif 2.1.0, or junit XML")
    ] = "text",
    ignore: Annotated[tuple[str, ...], Param("leave out these codes, also several with commas", metavar="CODE")] = (),
    baseline: Annotated[Path | None, Param("leave out the findings of this JSON, made by --format json")] = None,
    dictionary: Annotated[
        Path | None,
        Param("dictionary, a character a line (else the dict.txt in SRC, if any)", flags=("--dict",), metavar="FILE"),
    ] = None,
    max_length: Annotated[int, Param("W-TEXT-LONG: texts of more characters than this", ge=1)] = 25,
    min_size: Annotated[float, Param("W-POLY-TINY: outlines with a side shorter than this, px", ge=0)] = 3,
    deep: Annotated[bool, Param("decode every image")] = True,
    run: Run = SERIAL,
) -> Lint:
    """Name every problem of a PaddleOCR set: file, line, code, what is wrong, what to do.

    Label files of detection, recognition and direction are found by what stands in them. Errors make the command exit
    with 1, warnings alone do not. All codes are in docs/ocr-lint-codes.md.
    """
    from datatools.io import baseline as earlier
    from datatools.io.paddleocr.layout import open_set

    ignored = CODES.parse(ignore)
    old = earlier.read(baseline, CODES.command) if baseline is not None else Counter()
    opened = open_set(src)
    characters, found, notes = _dictionary(opened, dictionary)
    rules = TextRules(characters, max_length)
    labels: list[Labelled] = []
    images: set[str] = set()
    for file in run.track(opened.label_files, "reading"):
        read, mentioned, problems = lines.read(opened, file)
        labels += read
        images |= mentioned
        found += problems
    named = sorted(images)
    pictures = [str(opened.root / image) for image in named]
    looked = run.map(functools.partial(checks.look, deep=deep), pictures, "checking images")
    seen = dict(zip(named, looked, strict=True))
    found += (finding(code, image, 1, what) for image, one in seen.items() for code, what in one.problems)
    found += lines.repeated(labels, {image: one.digest for image, one in seen.items()})
    found += lines.unlisted(opened, images)
    found += _regions(labels, seen, min_size)
    found += _texts(labels, rules)
    if rules.blanks:
        notes.append(f"{count_of(rules.blanks, 'blank')} in texts, none in the dictionary: set use_space_char: true")
    kept = [f for f in order(found) if f.code not in ignored]
    new = tuple(beyond(kept, old))
    outside = dict(sorted(rules.outside.items(), key=lambda item: (-item[1], item[0])))
    return Lint(
        findings=new,
        label_files=len(opened.label_files),
        labels=len(labels),
        images=len(named),
        known=len(kept) - len(new),
        outside=None if characters is None else outside,
        notes=tuple(notes),
        format=format,
    )


def _dictionary(opened: "OcrSet", given: Path | None) -> tuple[frozenset[str] | None, list[Finding], list[str]]:
    """The characters of the dictionary, what is wrong with its lines, and a note which one it is."""
    from datatools.io.paddleocr import dictionary

    path = given or opened.root / OWN_DICTIONARY
    if given is None and not path.is_file():
        return None, [], ["no dictionary: characters were not checked (--dict FILE)"]
    try:
        read = dictionary.read(path)
    except DataError as error:
        raise UsageError(f"the dictionary {escape(path)} cannot be read: {error.message}") from None
    name = OWN_DICTIONARY if given is None else str(given)
    found = [finding("E-DICT-LINE", name, f.line, f.message) for f in read.failures]
    return frozenset(read.characters), found, [f"dictionary: {escape(name)}, {len(read.characters):,} characters"]


def _regions(labels: list[Labelled], seen: Mapping[str, Seen], min_size: float) -> Iterator[Finding]:
    """Everything about the regions of pages but their texts."""
    flat: list[Outline] = []
    for label in labels:
        if label.kind != "det":
            continue
        if not label.regions:
            yield finding("W-PAGE-EMPTY", label.file, label.number, "no region")
        size = seen[label.image].size_wh if label.image else (0, 0)
        flat += (Outline(label.file, label.number, n, r, size) for n, r in enumerate(label.regions, 1))
        first: dict[tuple[tuple[float, float], ...], int] = {}
        for number, region in enumerate(label.regions, 1):
            earlier = first.setdefault(region.points, number)
            if earlier != number:
                texts = f"{region.text!r} as region {earlier} {label.regions[earlier - 1].text!r}"
                yield finding("E-REGION-REPEATED", label.file, label.number, f"region {number} {texts}")
    yield from outlines.check(flat, min_size)


def _texts(labels: list[Labelled], rules: TextRules) -> Iterator[Finding]:
    for label in labels:
        if label.kind == "rec":
            yield from (finding(code, label.file, label.number, what) for code, what in rules.check(label.text))
        for number, region in enumerate(label.regions, 1):
            if not region.ignore:
                for code, what in rules.check(region.text):
                    yield finding(code, label.file, label.number, f"region {number}: {what}")
