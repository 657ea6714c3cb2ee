"""The stage that DVC runs: what `haze.remove` does to a folder, in two plain processes."""

import os
import shutil
from pathlib import Path


def clear(src: str, out: str) -> None:
    """Do all pictures."""
    import engine_work

    shutil.rmtree(out, ignore_errors=True)
    engine_work.warm_up()
    pairs = engine_work.pairs(Path(src), Path(out))
    children = []
    for half in (pairs[0::2], pairs[1::2]):
        if (pid := os.fork()) == 0:
            for source, target in half:
                one(source, target)
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)


def one(source: str, target: str) -> None:
    """Do one."""
    from datatools.io import images
    from datatools.kernels import haze

    pixels = images.decode_as_is(Path(source).read_bytes(), name=source)
    clear = haze.remove(pixels, haze.Settings())
    Path(target).write_bytes(images.encode(clear, ".png"))
