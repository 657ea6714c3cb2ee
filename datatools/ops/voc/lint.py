"""`datatools voc lint`: every problem of a Pascal VOC set in one pass."""

import functools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from datatools.core.errors import escape
from datatools.core.findings import Finding, beyond, order
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Run, VocFolder
from datatools.ops.voc import checks, relations
from datatools.ops.voc.checks import Job
from datatools.ops.voc.codes import CODES, finding
from datatools.ops.voc.objects import Checked, Options

if TYPE_CHECKING:
    from datatools.io.voc.layout import Item, VocSet

Format = Literal["text", "json", "sarif", "junit"]
Check = Callable[[Job], Checked]


@dataclass(frozen=True)
class Lint(Result):
    """What lint found.

    findings: sorted by file, line and code, without those ignored and those of the baseline (`known` of them).
    files: XML files; images: image files; coords: "voc" or "zero", how the corners were read.
    notes: what a reader of the findings should know about the set.
    """

    findings: tuple[Finding, ...]
    files: int
    images: int
    known: int
    coords: str
    notes: tuple[str, ...] = ()
    format: Format = field(default="text", repr=False)

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(f.severity == "error" for f in self.findings)

    @property
    def problems(self) -> int:
        """The errors: warnings alone do not fail a run."""
        return self.errors

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
                yield from formats.junit(self.findings, CODES, self.files)
            case _:
                yield from map(str, self.findings)
                yield from self._summary()

    def _summary(self) -> Iterator[str | Table]:
        looked_at = f"{_count(self.files, 'XML file')} and {_count(self.images, 'image')}"
        if self.findings:
            yield CODES.table(self.findings)
        yield from self.notes
        if self.known:
            yield f"{_count(self.known, 'finding')} of the baseline not shown"
        if not self.findings:
            yield f"{looked_at}: nothing found"
            return
        warnings = len(self.findings) - self.errors
        yield f"{looked_at}: {_count(self.errors, 'error')}, {_count(warnings, 'warning')}"
        if any(CODES[f.code].rule for f in self.findings):
            yield "next: datatools voc fix SRC --dry-run shows what can be mended"
        else:
            yield "next: each line names its remedy; --ignore CODE leaves a code out"


def _count(number: int, noun: str) -> str:
    """
    >>> _count(1, "image"), _count(0, "image")
    ('1 image', '0 images')
    """
    return f"{number} {noun}{'s' * (number != 1)}"


@op("voc.lint", version=1)
def lint(
    src: VocFolder,
    *,
    format: Annotated[Format, Param("text for people, json, sarif 2.1.0, or junit XML")] = "text",
    ignore: Annotated[tuple[str, ...], Param("leave out these codes, also several with commas", metavar="CODE")] = (),
    baseline: Annotated[Path | None, Param("leave out the findings of this JSON, made by --format json")] = None,
    deep: Annotated[bool, Param("decode every image")] = False,
    min_size: Annotated[float, Param("W-BOX-TINY: sides shorter than this, px", ge=0)] = 3,
    coords: Annotated[
        Literal["auto", "voc", "zero"], Param("corners count from 1 (voc) or 0; auto: zero if any is below 1")
    ] = "auto",
    run: Run = SERIAL,
) -> Lint:
    """Name every problem of a Pascal VOC set: file, line, code, what is wrong, what to do.

    Errors make the command exit with 1, warnings alone do not. All codes are in docs/voc-lint-codes.md; an unknown
    code, and a baseline that is none, are usage errors.
    """
    from datatools.io import baseline as earlier
    from datatools.io.voc.layout import open_set

    ignored = CODES.parse(ignore)
    old = earlier.read(baseline, CODES.command) if baseline is not None else Counter()
    voc_set = open_set(src)
    # with auto, files that count from 1 hold no corner below 1, so 0 is the least coordinate either way
    options = Options(deep=deep, min_size=min_size, least=1.0 if coords == "voc" else 0.0)
    twins = _second_images(voc_set)
    items = [*voc_set.items, *voc_set.images_without_xml, *twins]
    jobs = [_job(voc_set, item) for item in items]
    check = functools.partial(checks.check_item, options=options)
    checked = list(run.map(check, jobs, "checking", checks.lost))
    _find_by_filename(voc_set, items, jobs, checked, check, run)
    if coords == "auto":
        coords = "zero" if min((c.lowest for c in checked), default=math.inf) < 1 else "voc"
    found = [f for c in checked for f in c.findings]
    found += _tiny(jobs, checked, min_size, 1 if coords == "voc" else 0)
    found += _pairs(jobs[: len(jobs) - len(twins)])
    splits = relations.read_splits(voc_set, found)
    found += relations.check_lists(voc_set, splits)
    found += relations.name_clashes(voc_set)
    labels = ((label, j.xml_name, *at) for j, c in zip(jobs, checked, strict=True) for label, at in c.labels.items())
    found += relations.similar_labels(labels)
    found += relations.copies(_pictures(items, jobs, checked), splits, run)
    kept = [f for f in order(found) if f.code not in ignored]
    new = tuple(beyond(kept, old))
    return Lint(
        findings=new,
        files=len(voc_set.items),
        images=sum(len(tree.image_files) for tree in voc_set.trees),
        known=len(kept) - len(new),
        coords=coords,
        notes=tuple(_notes(voc_set)),
        format=format,
    )


def _job(voc_set: "VocSet", item: "Item") -> Job:
    return Job(item.xml_file, voc_set.name(item.xml_file), item.image_file, voc_set.name(item.image_file))


def _second_images(voc_set: "VocSet") -> "list[Item]":
    """The images that are no item's: a.png where a.xml has a.jpg."""
    from datatools.io.voc.layout import Item

    taken = {item.image_file for item in (*voc_set.items, *voc_set.images_without_xml)}
    return [
        Item(file.rpartition(".")[0], "", f"{tree.images}/{file}", number)
        for number, tree in enumerate(voc_set.trees)
        for file in tree.image_files
        if f"{tree.images}/{file}" not in taken
    ]


def _find_by_filename(
    voc_set: "VocSet", items: "Sequence[Item]", jobs: list[Job], checked: list[Checked], check: Check, run: Run
) -> None:
    """Check again, with their image, the XML files that only <filename> leads to it; change both lists in place.

    The image is then no longer one without an XML.
    """
    alone = {job.image_file: i for i, job in enumerate(jobs) if not job.xml_file}
    led = []
    for i, (item, job) in enumerate(zip(items, jobs, strict=True)):
        filename = checked[i].filename[0]
        image = voc_set.image_by_filename(item, filename) if filename and not job.image_file else None
        if image is not None:
            jobs[i] = replace(job, image_file=str(image), image_name=voc_set.name(image))
            led.append(i)
    for i, again in zip(
        led, run.map(check, [jobs[i] for i in led], "checking what <filename> names", checks.lost), strict=True
    ):
        checked[i] = again
        if (other := alone.get(jobs[i].image_file)) is not None:
            jobs[other], checked[other] = Job("", "", "", ""), Checked()


def _pairs(jobs: Sequence[Job]) -> Iterator[Finding]:
    for job in jobs:
        if job.xml_file and not job.image_file:
            yield finding("E-IMAGE-MISSING", job.xml_name, 1, "no image belongs to it")
        elif job.image_file and not job.xml_file:
            yield finding("E-XML-MISSING", job.image_name, 1, "no XML belongs to it")


def _tiny(jobs: Sequence[Job], checked: Sequence[Checked], min_size: float, inclusive: int) -> Iterator[Finding]:
    """Boxes of too short sides. inclusive: 1 where the last pixel counts, as in files that count from 1."""
    for job, one in zip(jobs, checked, strict=True):
        for line, wide, high in one.thin:
            w, h = wide + inclusive, high + inclusive
            if min(w, h) < min_size:
                what = f"{w:.8g} x {h:.8g} px, a side is shorter than {min_size:g}"
                yield finding("W-BOX-TINY", job.xml_name, line, what)


def _pictures(items: "Sequence[Item]", jobs: Sequence[Job], checked: Sequence[Checked]) -> Iterator[relations.Picture]:
    told: set[str] = set()
    for item, job, one in zip(items, jobs, checked, strict=True):
        if one.sample is not None and job.image_file not in told:
            told.add(job.image_file)
            yield relations.Picture(job.image_file, job.image_name, item.tree, item.id, one.sample)


def _notes(voc_set: "VocSet") -> Iterator[str]:
    if not voc_set.trees:
        yield "no XML and no image was found in this folder"
    for name, tree in zip(voc_set.tree_names, voc_set.trees, strict=True):
        if not tree.image_files:
            place = f" in {escape(name)}" if name else ""
            yield f"no image was found{place}; --ignore E-IMAGE-MISSING hides the findings that follow from it"
    if voc_set.stray_xml:
        yield f"{_count(len(voc_set.stray_xml), 'XML file')} outside of all annotation folders not read"
