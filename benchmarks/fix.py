"""voc fix: the sizes of 10,000 XML from their images' headers, against reading the bytes and writing them back.

The plain loops do nothing but that, over the same files, which we are held to, and into a new folder. The rewrite
loops are what scripts do: parse, set <width>, write the tree; they look into no image and lose comments and line ends.
-o also links the 10,000 images, --in-place also keeps a backup. The bars hold for the CPU of one process, in memory
where the system has such a file system: making a file costs ext4 from 20 us to 250 us, depending on what it did before.
"""

import gc
import itertools
import random
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

import contest
import numpy as np
from lxml import etree

FILES = 10_000
MEMORY = Path("/dev/shm")
RULES = ("size",)


def make(root: Path, count: int, images: Path | None = None) -> Path:
    """A set whose XML all have a wrong <width>, 3 objects each. images: a set to link them from."""
    import simplejpeg

    rng = random.Random(7)
    pixels = np.random.default_rng(7).integers(0, 255, (48, 64, 3), np.uint8)
    image = simplejpeg.encode_jpeg(np.ascontiguousarray(pixels.repeat(10, 0).repeat(10, 1)), 50)[:4096]
    (root / "Annotations").mkdir(parents=True)
    (root / "JPEGImages").mkdir()
    for i in range(count):
        objects = "".join(
            f"\t<object>\n\t\t<name>{rng.choice(['car', 'person', 'dog'])}</name>\n\t\t<pose>Unspecified</pose>\n"
            "\t\t<truncated>0</truncated>\n\t\t<difficult>0</difficult>\n\t\t<bndbox>\n"
            f"\t\t\t<xmin>{rng.randint(1, 300)}</xmin>\n\t\t\t<ymin>{rng.randint(1, 200)}</ymin>\n"
            f"\t\t\t<xmax>{rng.randint(301, 640)}</xmax>\n\t\t\t<ymax>{rng.randint(201, 480)}</ymax>\n"
            "\t\t</bndbox>\n\t</object>\n"
            for _ in range(3)
        )
        text = (
            f"<annotation>\n\t<folder>JPEGImages</folder>\n\t<filename>{i:06d}.jpg</filename>\n"
            "\t<source>\n\t\t<database>Unknown</database>\n\t</source>\n\t<size>\n\t\t<width>641</width>\n"
            f"\t\t<height>480</height>\n\t\t<depth>3</depth>\n\t</size>\n\t<segmented>0</segmented>\n{objects}</annotation>\n"
        )
        (root / "Annotations" / f"{i:06d}.xml").write_text(text)
        picture = root / "JPEGImages" / f"{i:06d}.jpg"
        if images is None:
            picture.write_bytes(image)
        else:
            picture.hardlink_to(images / "JPEGImages" / picture.name)
    return root


def main() -> None:
    from datatools.ops.voc.fix import fix

    gc.set_threshold(50_000, 20, 50)  # for all contestants, as the command does at its start
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as temporary:
        work = Path(temporary)
        src = make(work / "set", FILES)
        sets = [make(work / f"in_place_{i}", FILES, src) for i in range(6)]
        names = sorted(path.name for path in (src / "Annotations").iterdir())
        numbers = itertools.count()
        to_fix = iter(sets)

        def plain() -> None:
            for name in names:
                path = src / "Annotations" / name
                path.write_bytes(path.read_bytes())

        def plain_to_a_copy() -> None:
            out = fresh()
            for name in names:
                (out / name).write_bytes((src / "Annotations" / name).read_bytes())

        def fresh() -> Path:
            out = work / f"out_{next(numbers)}"
            out.mkdir()
            return out

        def xml_etree() -> None:
            out = fresh()
            for name in names:
                tree = ET.parse(src / "Annotations" / name)
                tree.find("size/width").text = "640"  # type: ignore[union-attr]
                tree.write(out / name)

        def lxml() -> None:
            out = fresh()
            for name in names:
                tree = etree.fromstring((src / "Annotations" / name).read_bytes())
                tree.find("size/width").text = "640"  # type: ignore[union-attr]
                (out / name).write_bytes(etree.tostring(tree))

        def fix_to_a_copy() -> None:
            assert fix(src, rule=RULES, out=fresh()).files_changed == FILES

        def fix_in_place() -> None:
            assert fix(next(to_fix), rule=RULES, in_place=True).files_changed == FILES

        ratios = contest.run(
            "fix",
            f"sizes of {FILES} XML, 3 objects each",
            {
                "read and write back": plain,
                "read and write to a new folder": plain_to_a_copy,
                "datatools voc fix -o": fix_to_a_copy,
                "datatools voc fix --in-place": fix_in_place,
                "xml.etree, width alone": xml_etree,
                "lxml, width alone": lxml,
            },
            rounds=5,
        )
    contest.finish(
        *(
            contest.bar(f"{name}: at most 3 times reading and writing back", ratios[name] <= 3)
            for name in ("datatools voc fix -o", "datatools voc fix --in-place")
        )
    )


if __name__ == "__main__":
    main()
