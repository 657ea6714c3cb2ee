"""The engine: what it adds to the bare work, what a rerun costs, and its memory.

Every contestant does the same to 10,000 pictures of a few pixels: read, decode, a millisecond of work, encode, write.
datatools also takes digests, writes the journal, brings all to the disk, and shows nothing before it is whole. Two bare
forked processes that take half the items each are the least that the work can cost on two cores.
"""

import itertools
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import contest
import engine_work

ITEMS = 10_000
MANY = 100_000
ROUNDS = 3
SIDE = 64
"""Pixels of a picture that is cleared of haze in a millisecond."""
HERE = Path(__file__).resolve().parent
PYTHON = sys.executable
MAIN = f"import sys; sys.path[:0] = [{str(HERE)!r}]; from datatools.__main__ import command; command()"


def timed(work: Callable[[], object]) -> contest.Timing:
    """Wall and CPU seconds of this process and of the children that it waited for."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    wall = time.perf_counter()
    work()
    wall = time.perf_counter() - wall
    after = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime for a, b in zip(usage, after, strict=True))
    return contest.Timing(cpu, wall)


def bare_forks(pairs: list[tuple[str, str]]) -> None:
    children = []
    for half in (pairs[0::2], pairs[1::2]):
        if (pid := os.fork()) == 0:
            engine_work.plain_chunk(half)
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)


def process_pool(pairs: list[tuple[str, str]], chunk: int) -> None:
    with ProcessPoolExecutor(2, initializer=engine_work.warm_up) as pool:
        list(pool.map(engine_work.plain_chunk, [pairs[i : i + chunk] for i in range(0, len(pairs), chunk)]))


def with_joblib(pairs: list[tuple[str, str]]) -> None:
    import joblib

    joblib.Parallel(n_jobs=2)(joblib.delayed(engine_work.plain)(*pair) for pair in pairs)


def with_ray(pairs: list[tuple[str, str]]) -> None:
    import ray

    remote = ray.remote(engine_work.plain)
    ray.get([remote.remote(*pair) for pair in pairs])


def with_datatools(src: Path, out: Path) -> None:
    from datatools.engine import items
    from datatools.engine.executors import LocalRun

    items.ItemJob = engine_work.Job  # type: ignore[misc]
    result = items.run_items(engine_work.spin, {"src": src, "out": out}, LocalRun(2, bars=False))
    assert result.made == ITEMS, result


def overhead(work: Path) -> bool:
    """The bare work against pools, joblib, Ray and us."""
    import ray

    engine_work.warm_up()
    src = engine_work.make(work / "src", ITEMS)
    numbers = itertools.count()

    def contestant(do: Callable[[Path], object]) -> contest.Contestant:
        def run() -> contest.Timing:
            out = work / f"out_{next(numbers)}"
            timing = timed(lambda: do(out))
            shutil.rmtree(out)
            return timing

        return run

    os.environ["PYTHONPATH"] = str(HERE)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    sys.path.insert(0, str(HERE))
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ratios = contest.run(
        "engine_overhead",
        f"{ITEMS} items of 1 ms on 2 cores; ratio of wall time",
        {
            "two bare forks": contestant(lambda out: bare_forks(engine_work.pairs(src, out))),
            "datatools": contestant(lambda out: with_datatools(src, out)),
            "ProcessPoolExecutor, chunks of 50": contestant(lambda out: process_pool(engine_work.pairs(src, out), 50)),
            "ProcessPoolExecutor, one by one": contestant(lambda out: process_pool(engine_work.pairs(src, out), 1)),
            "joblib": contestant(lambda out: with_joblib(engine_work.pairs(src, out))),
            "Ray tasks, cluster running": contestant(lambda out: with_ray(engine_work.pairs(src, out))),
        },
        rounds=ROUNDS,
        by="wall_s",
    )
    ray.shutdown()
    return contest.bar("datatools: wall at most 1.10 times two bare forks", ratios["datatools"] <= 1.10)


def command(words: list[str], cwd: Path) -> None:
    subprocess.run([PYTHON, "-c", MAIN, *words], cwd=cwd, check=True, stdout=subprocess.DEVNULL)


def rerun(work: Path) -> bool:
    """One changed item of 10,000: `datatools run` against `dvc repro` of the same stage."""
    dvc = contest.ROOT / ".venv-peers" / "bin" / "dvc"
    if not dvc.exists():
        print("dvc is not in .venv-peers: rerun is not measured")
        return False
    ours, theirs = work / "ours", work / "theirs"
    for place in (ours, theirs):
        engine_work.make(place / "src", ITEMS, side=SIDE)
    stage = "- {id: clear, uses: haze.remove, in: src, out: out}"
    (ours / "p.yaml").write_text(f"version: 1\nstages:\n  {stage}\n")
    script = f"import sys; sys.path[:0] = [{str(HERE)!r}]\nimport engine_peer\nengine_peer.clear('src', 'out')\n"
    (theirs / "clear.py").write_text(script)
    (theirs / "dvc.yaml").write_text(
        f"stages:\n  clear:\n    cmd: {PYTHON} clear.py\n    deps: [src, clear.py]\n    outs: [out]\n"
    )
    env = {**os.environ, "DVC_NO_ANALYTICS": "1"}

    def run_dvc(*words: str) -> None:
        subprocess.run([dvc, *words], cwd=theirs, env=env, check=True, stdout=subprocess.DEVNULL)

    run_dvc("init", "--no-scm", "-q")
    run_dvc("repro", "-q")
    command(["run", "p.yaml", "-j", "2"], ours)
    levels = itertools.count(1)

    def change(place: Path) -> None:
        picture = place / "src" / "007" / "003777.png"
        picture.write_bytes(next((place / "src" / "000").iterdir()).read_bytes() + bytes([next(levels) % 256]))

    def changed_ours() -> contest.Timing:
        change(ours)
        return timed(lambda: command(["run", "p.yaml", "-j", "2"], ours))

    def changed_theirs() -> contest.Timing:
        change(theirs)
        return timed(lambda: run_dvc("repro", "-q"))

    ratios = contest.run(
        "engine_rerun",
        f"one changed item of {ITEMS}, 1 ms each, whole command; ratio of wall time",
        {"datatools run": changed_ours, "dvc repro": changed_theirs},
        rounds=ROUNDS,
        by="wall_s",
    )
    return contest.bar("dvc repro takes at least 20 times as long", ratios["dvc repro"] >= 20)


def look(tree: Path) -> int:
    """os.scandir and stat of every file below."""
    found = 0
    waiting = [os.fspath(tree)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    found += 1
    return found


def many(work: Path) -> bool:
    """A run of nothing over 100,000 items against a walk of their folders, and the memory of the run before."""
    words = ["haze", "remove", "src", "out", "--refine", "none", "-j", "2"]
    peaks = {}
    for count in (1_000, MANY):
        place = work / f"many_{count}"
        engine_work.make(place / "src", count)
        code = f"{MAIN.replace('command; command()', 'main')}\nimport resource\ntry:\n    main()\nfinally:\n"
        code += "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
        done = subprocess.run([PYTHON, "-c", code, *words], cwd=place, capture_output=True, text=True)
        peaks[count] = int(done.stderr.split()[-1]) / 1024
    place = work / f"many_{MANY}"
    ratios = contest.run(
        "engine_noop",
        f"a rerun of {MANY} items of which none changed, in a process of its own; ratio of wall time",
        {
            "scandir and stat of the input": lambda: timed(lambda: look(place / "src")),
            "scandir and stat of input and output": lambda: timed(lambda: (look(place / "src"), look(place / "out"))),
            "datatools haze remove": lambda: timed(lambda: command(words, place)),
        },
        rounds=ROUNDS,
        by="wall_s",
    )
    rows = [{"items": count, "peak_mb": round(peak, 1)} for count, peak in peaks.items()]
    contest.save("engine_memory", "peak resident memory of the process that leads the run", {"rows": rows})
    print(f"  peak memory: {rows}")
    met = contest.bar(
        "a rerun of nothing: at most 5 times scandir and stat of the input", ratios["datatools haze remove"] <= 5
    )
    grows = peaks[MANY] / peaks[1_000]
    return met & contest.bar(f"memory at {MANY} items at most 1.2 times that at 1,000 ({grows:.2f})", grows <= 1.2)


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        chosen = sys.argv[1:] or ["overhead", "rerun", "many"]
        parts: dict[str, Any] = {"overhead": overhead, "rerun": rerun, "many": many}
        contest.finish(*(parts[name](work / name) for name in chosen))


if __name__ == "__main__":
    main()
