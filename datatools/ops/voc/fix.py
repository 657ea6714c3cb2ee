"""`datatools voc fix`: repair what lint names and a rule can mend, without touching another byte."""

import functools
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, DryRun, Force, OutVocFolder, Run, VocFolder
from datatools.ops.voc.mend import Job, Mended, mend_file, mend_lost
from datatools.ops.voc.rules import RULES, Plan, parse_rules

if TYPE_CHECKING:
    from datatools.io.voc.layout import Item, VocSet

Coords = Literal["auto", "voc", "zero"]


@dataclass(frozen=True)
class Fix(Result):
    """What was mended.

    files_total: annotations looked at. files_changed: of them, with a change. images_changed: by the rule exif.
    edits: how many changes each rule made. files: how many files each rule changed.
    out: where the mended set is, None without. backup: what `datatools voc undo` gives back, None without.
    failures: what could not be read or mended; it was left as it is. diff: of a dry run, one text for each file.
    """

    src: Path
    out: Path | None
    dry_run: bool
    files_total: int
    files_changed: int
    images_changed: int
    edits: dict[str, int]
    files: dict[str, int]
    failures: tuple[DataError, ...]
    backup: Path | None
    diff: tuple[str, ...] = field(default=())

    @property
    def problems(self) -> int:
        """Files that could not be mended."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """Diffs of a dry run, changes by rule, failures, what to do next."""
        for text in self.diff:
            yield from text.split("\n")
        if self.edits:
            rows = tuple((rule, self.edits[rule], self.files[rule]) for rule in self.edits)
            yield Table(("rule", "changes", "files"), rows)
        for failure in self.failures:
            yield str(failure)
        would = "would change" if self.dry_run else "changed"
        images = f", {self.images_changed} images" if self.images_changed else ""
        failed = f"; {len(self.failures)} not mended, they stand above" if self.failures else ""
        yield f"{self.files_changed} of {self.files_total} files {would}{images}{failed}"
        yield self._next()

    def _next(self) -> str:
        src = escape(self.src)
        if self.dry_run:
            if not self.files_changed and not self.images_changed:
                return "nothing to mend"
            return f"next: datatools voc fix {src} -o OUT, or --in-place (datatools voc undo takes it back)"
        if self.out is not None:
            return f"written: {escape(self.out)}; next: datatools voc lint {escape(self.out)}"
        if self.backup is None:
            return f"nothing was written; next: datatools voc lint {src}"
        return f"backup: {escape(self.backup)}; next: datatools voc lint {src}, or datatools voc undo {src}"


@op("voc.fix", version=1)
def fix(
    src: VocFolder,
    *,
    out: OutVocFolder | None = None,
    in_place: Annotated[bool, Param("rewrite the files of SRC; a backup is kept (datatools voc undo)")] = False,
    rule: Annotated[
        tuple[str, ...],
        Param(f"rules to apply: {', '.join(RULES)}, all; default: all but zero-area and exif", metavar="RULE"),
    ] = (),
    keep_float_boxes: Annotated[bool, Param("do not round corners with decimals")] = False,
    coords: Annotated[Coords, Param("corners count from 1 (voc) or 0 (zero); auto looks at the whole set")] = "auto",
    link: Annotated[Literal["hard", "sym", "copy"], Param("how images come into OUT")] = "hard",
    dry_run: DryRun = False,
    force: Force = False,
    run: Run = SERIAL,
) -> Fix:
    """Repair what lint names and a rule can mend; only the bytes that a rule names change.

    With -o OUT a complete copy of the set is made: images linked, other files copied, mended XML written. With
    --in-place the changed XML are rewritten, each old or new at any moment, after a backup that
    `datatools voc undo SRC` gives back. With --dry-run the changes are shown as a unified diff.

    Rules, in the order in which they are applied:
      size        width, height and depth from the header of the image; a size that is the displayed or the stored
                  one of a picture with an EXIF turn is left; without an image, decimals are rounded half up
      corners     xmin and xmax, ymin and ymax change places where the first is the larger
      round       numbers with decimals become whole ones, half up
      clip        corners outside the image move to its border; a box with nothing inside stays for a person
      labels      blanks at the ends of a label go
      filename    <filename> becomes the name of the image that has the name of the XML
      duplicates  of objects with the same label and box, the first stays
      zero-area   objects whose box has no area in the image go (only when named)
      exif        the EXIF turn of the image is made in its pixels: a JPEG is encoded again with quality 95, a PNG
                  without loss, other EXIF data go; where the boxes were drawn on the stored picture, only the tag
                  is set to 1 (only when named)

    Raises UsageError where neither or both of out and in_place are given, and for unknown rules.
    """
    from datatools.io.voc.layout import open_set

    rules = parse_rules(rule)
    if out is not None and in_place:
        raise UsageError("give -o OUT or --in-place, not both")
    if out is None and not in_place and not dry_run:
        raise UsageError(
            "nothing says where the mended files go: -o OUT makes a mended copy of the set, --in-place rewrites the "
            "files of SRC and keeps a backup (datatools voc undo); --dry-run shows the changes"
        )
    voc_set = open_set(src)
    plan = Plan(rules, {"auto": None, "voc": 1, "zero": 0}[coords], rounds_boxes=not keep_float_boxes)
    mender = _Mender(src, voc_set, plan, run)
    if dry_run:
        from datatools.ops.voc.diff import unified

        diff = tuple(unified(one) for one in mender.all() if one.edits)
        return mender.result(None, dry_run=True, diff=diff)
    if out is not None:
        _write_copy(mender, voc_set.root, out, link, force)
        return mender.result(out)
    kept_in = _rewrite(mender, voc_set.root)
    return mender.result(None, backup=kept_in and src / kept_in.relative_to(voc_set.root))


class _Mender:
    """Mends the annotations of a set one after the other, and counts."""

    def __init__(self, src: Path, voc_set: "VocSet", plan: Plan, run: Run) -> None:
        self._src = src
        self._set = voc_set
        self._plan = plan
        self._run = run
        self._edits: Counter[str] = Counter()
        self._files: Counter[str] = Counter()
        self._changed = 0
        self._images = 0
        self.failures: list[DataError] = []

    def all(self) -> Iterator[Mended]:
        """Every annotation, in the order of the set."""
        jobs = _jobs(self._set)
        later: list[Job] = []
        for one in self._run.map(functools.partial(mend_file, plan=self._plan), jobs, "mending", mend_lost):
            if one.undecided:
                later.append(one.job)
            else:
                yield self._counted(one)
        if later:
            from datatools.io.voc.scan import read_table

            low = 1 if read_table(self._set, run=self._run).coords == "voc" else 0
            plan = replace(self._plan, low=low)
            for one in self._run.map(functools.partial(mend_file, plan=plan), later, "mending", mend_lost):
                yield self._counted(one)

    def _counted(self, one: Mended) -> Mended:
        self.failures += one.failures
        if one.edits:
            self._changed += one.new != one.old
            self._images += one.image is not None
            for edit in one.edits:
                self._edits[edit.rule] += 1
            for rule in {edit.rule for edit in one.edits}:
                self._files[rule] += 1
        return one

    def refuse(self, one: Mended, error: DataError) -> None:
        """Take back what was counted of an annotation that cannot be written after all."""
        self.failures.append(error)
        self._changed -= one.new != one.old
        self._images -= one.image is not None
        self._edits.subtract(edit.rule for edit in one.edits)
        self._files.subtract({edit.rule for edit in one.edits})

    def result(
        self, out: Path | None, *, dry_run: bool = False, backup: Path | None = None, diff: tuple[str, ...] = ()
    ) -> Fix:
        """The counts, rules in their order."""
        return Fix(
            src=self._src,
            out=out,
            dry_run=dry_run,
            files_total=sum(bool(item.xml_file) for item in self._set.items),
            files_changed=self._changed,
            images_changed=self._images,
            edits={rule: self._edits[rule] for rule in RULES if self._edits[rule]},
            files={rule: self._files[rule] for rule in RULES if self._files[rule]},
            failures=tuple(sorted(self.failures, key=lambda failure: (os.fsencode(failure.path), failure.line))),
            backup=backup,
            diff=diff,
        )


def _jobs(voc_set: "VocSet") -> list[Job]:
    root = os.path.join(voc_set.root, "")
    return [
        Job(item.xml_file, item.xml_file.removeprefix(root), item.image_file, item.image_file.removeprefix(root), True)
        if item.image_file or voc_set.trees[item.tree].images is None
        else _job_by_filename(voc_set, item)
        for item in voc_set.items
    ]


def _job_by_filename(voc_set: "VocSet", item: "Item") -> Job:
    name = voc_set.name(item.xml_file)
    from datatools.io import files
    from datatools.io.voc.document import parse

    try:
        said = parse(files.read_bytes(item.xml_file), name).filename
    except DataError:  # reported when it is mended
        said = None
    found = voc_set.image_by_filename(item, said.text) if said else None
    image = os.fspath(found) if found else ""
    return Job(item.xml_file, name, image, voc_set.name(image), False)


def _write_copy(mender: _Mender, root: Path, out: Path, link: Literal["hard", "sym", "copy"], force: bool) -> None:
    """Make OUT: every regular file of the set at its place; folders that begin with a dot are not part of it."""
    from datatools.io import atomic, files
    from datatools.io.images import IMAGE_SUFFIXES

    with atomic.folder(out, force=force, inputs=[root]) as partial:
        source, made = os.fspath(root), os.fspath(partial)
        done = {"run.json"}  # OUT gets its own
        with atomic.Batch() as batch:
            for one in mender.all():
                if one.new is not None:
                    batch.write(f"{made}/{one.job.name}", one.new)
                    done.add(one.job.name)
                if one.image is not None:
                    batch.write(f"{made}/{one.job.image_name}", one.image)
                    done.add(one.job.image_name)
        for folder, _, names in files.walk(root):
            where = f"{folder}/" if folder.parts else ""
            for name in names:
                relative = where + name
                if relative not in done:
                    is_image = f".{name.rpartition('.')[2].lower()}" in IMAGE_SUFFIXES
                    atomic.link_or_copy(f"{source}/{relative}", f"{made}/{relative}", link if is_image else "copy")


def _rewrite(mender: _Mender, root: Path) -> Path | None:
    """Rewrite what changes in its place; return the backup's folder, None where nothing changes."""
    from datatools.io import atomic, backup

    with backup.locked(root):
        atomic.sweep(root)
        contents: dict[str, bytes] = {}
        before: dict[str, str] = {}
        where = os.fspath(root)
        for one in mender.all():
            new = {one.job.name: one.new} if one.new is not None and one.new != one.old else {}
            if one.image is not None:
                new[one.job.image_name] = one.image
            try:
                for name in new:
                    backup.check_rewritable(where, name)
            except DataError as error:
                mender.refuse(one, error)
                continue
            contents |= new
            if one.old is not None:
                before[one.job.name] = backup.digest_of(one.old)
        return backup.rewrite(root, contents, "voc fix", before=before)
