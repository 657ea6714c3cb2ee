"""`datatools haze score`: how near pictures come to the ones that they should be."""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Dataset, Run


@dataclass(frozen=True)
class Scored:
    """One picture beside its reference. psnr_db: None where the two are equal. ssim: at most 1."""

    image: str
    reference: str
    psnr_db: float | None
    ssim: float


@dataclass(frozen=True)
class Scores(Result):
    """PSNR and SSIM of pictures, and their means.

    psnr_db: mean over the pictures that are not equal to their references; None where there is none. ssim: mean over
    all. equal: pictures that are equal to theirs. left_out: folders with pictures none of which has a reference, as
    those of `haze remove --maps`. failures: pictures that could not be compared.
    """

    src: Path
    reference: Path
    psnr_db: float | None
    ssim: float | None
    images: tuple[Scored, ...]
    equal: int
    left_out: tuple[str, ...] = ()
    failures: tuple[DataError, ...] = ()

    @property
    def problems(self) -> int:
        """Pictures that could not be compared."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """A line a picture, and the means."""
        yield from map(str, self.failures)
        rows: list[tuple[object, ...]] = [
            (escape(one.image), escape(one.reference), _decibels(one.psnr_db), f"{one.ssim:.3f}") for one in self.images
        ]
        if rows:
            yield Table(("image", "reference", "PSNR dB", "SSIM"), tuple(rows))
            yield f"mean of {len(rows)}: PSNR {_decibels(self.psnr_db)} dB, SSIM {self.ssim:.3f}"
        if self.equal:
            yield f"{self.equal} are equal to their references; their PSNR is infinite and not part of the mean"
        if self.left_out:
            yield f"left out, as no picture there has a reference: {', '.join(map(escape, self.left_out))}"
        if self.failures:
            yield f"{len(self.failures)} pictures could not be compared"


def _decibels(value: float | None) -> str:
    return "inf" if value is None else f"{value:.2f}"


@op("haze.score", version=1)
def score(
    src: Dataset,
    *,
    reference: Annotated[Path, Param("folder of the clear pictures", metavar="DIR")],
    run: Run = SERIAL,
) -> Scores:
    """Score pictures against clear references: PSNR and SSIM of each, and the means.

    The reference of a picture lies in the same folder below DIR and has its name, with any suffix; or the name up to
    one of its underscores, so that town_b0.8_A0.9.png is compared with town.jpg.
    """
    from datatools.io import files
    from datatools.io.images import IMAGE_SUFFIXES

    if not reference.is_dir():
        raise UsageError(f"--reference: {escape(reference)}: no such folder")
    pictures = [
        str(folder / name)
        for folder, _, names in files.walk(src)
        for name in names
        if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES
    ]
    known = _references(reference)
    matched = {str(PurePosixPath(one).parent) for one in pictures if _reference_of(one, known)}
    folders = dict.fromkeys(str(PurePosixPath(one).parent) for one in pictures)
    left_out = tuple(one for one in folders if one not in matched) if matched else ()
    kept = [one for one in pictures if str(PurePosixPath(one).parent) not in left_out]
    job = functools.partial(_compare, root=src, reference=reference, known=known)
    answers = list(run.map(job, kept, "comparing"))
    scored = tuple(one for one in answers if isinstance(one, Scored))
    finite = [one.psnr_db for one in scored if one.psnr_db is not None]
    return Scores(
        src=src,
        reference=reference,
        psnr_db=math.fsum(finite) / len(finite) if finite else None,
        ssim=math.fsum(one.ssim for one in scored) / len(scored) if scored else None,
        images=scored,
        equal=len(scored) - len(finite),
        left_out=left_out,
        failures=tuple(one for one in answers if isinstance(one, DataError)),
    )


def _references(folder: Path) -> dict[str, str]:
    """The references by their relative names without suffix; of two that differ in the suffix alone, the first."""
    from datatools.io import files
    from datatools.io.images import IMAGE_SUFFIXES

    found: dict[str, str] = {}
    for where, _, names in files.walk(folder):
        for name in names:
            if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES:
                found.setdefault(str((where / name).with_suffix("")), str(where / name))
    return found


def _reference_of(picture: str, known: dict[str, str]) -> str | None:
    path = PurePosixPath(picture)
    stem = path.stem
    while stem:
        if (name := str(path.with_name(stem))) in known:
            return known[name]
        stem = stem.rpartition("_")[0]
    return None


def _compare(picture: str, *, root: Path, reference: Path, known: dict[str, str]) -> Scored | DataError:
    from datatools.kernels import fidelity

    match = _reference_of(picture, known)
    if match is None:
        return DataError(picture, 0, "E-SCORE-REFERENCE", f"there is no picture for it in {reference}")
    try:
        one, other = _pixels(root, picture), _pixels(reference, match)
    except DataError as error:
        return error
    if one.shape != other.shape:
        sizes = [f"{pixels.shape[1]} x {pixels.shape[0]}" for pixels in (one, other)]
        told = f"it is {sizes[0]} pixels large, its reference {match} {sizes[1]}"
        return DataError(picture, 0, "E-SCORE-SIZE", told)
    psnr = fidelity.psnr(one, other)
    return Scored(picture, match, psnr if psnr < math.inf else None, fidelity.ssim(one, other))


def _pixels(root: Path, name: str) -> Any:
    """The colours of a picture, (height, width, 3); alpha counts nothing."""
    import numpy as np

    from datatools.io import images
    from datatools.io.files import read_bytes

    pixels = images.decode_as_is(read_bytes(root / name, images.MAX_FILE_BYTES), name=name)
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels[..., :3]
