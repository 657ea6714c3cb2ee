"""Contestants of one job, alternating in one run: medians, ratios, and a result file that says on what machine.

The machines that benchmarks run on are noisy, so a time alone says little. Every round runs each contestant once, in
turn, and what counts is the ratio to the first contestant. Times are CPU seconds of the contestant (user + system);
wall seconds stand beside them. Peers that need packages of their own run in `.venv-peers` and time themselves there.
"""

import dataclasses
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed comes compiled; a checkout shall, too
PEER_PYTHON = ROOT / ".venv-peers" / "bin" / "python"

PEER_LOOP = """
import os, sys, time
_protocol = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what a peer prints does not mix with the answers
exec(compile(sys.argv[1], "peer", "exec"))
for _line in sys.stdin:
    _cpu, _wall = time.process_time(), time.perf_counter()
    job()
    print(time.process_time() - _cpu, time.perf_counter() - _wall, file=_protocol, flush=True)
"""


@dataclasses.dataclass(frozen=True)
class Timing:
    """Seconds of one run of one contestant."""

    cpu_s: float
    wall_s: float


Contestant = Callable[[], object]


def has_peer(module: str) -> bool:
    """Whether the peers' environment exists and has the module."""
    if not PEER_PYTHON.exists():
        return False
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([PEER_PYTHON, "-c", code], stderr=subprocess.DEVNULL).returncode == 0


def peer(code: str, *args: object, python: Path = PEER_PYTHON) -> Contestant:
    """Start a process that runs `code`, which defines job(), and return what runs the job once and times it there.

    args: reach the code as `sys.argv[2:]`.
    """
    process = subprocess.Popen(
        [python, "-c", PEER_LOOP, code, *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin
    assert process.stdout
    stdin, stdout = process.stdin, process.stdout

    def job() -> Timing:
        stdin.write("go\n")
        stdin.flush()
        answer = stdout.readline().split()
        if len(answer) != 2:
            raise RuntimeError("the peer's process ended; its error stands above")
        return Timing(float(answer[0]), float(answer[1]))

    return job


def measure(contestant: Contestant) -> Timing:
    """Run once. A contestant that times itself returns its Timing."""
    cpu, wall = time.process_time(), time.perf_counter()
    answer = contestant()
    if isinstance(answer, Timing):
        return answer
    return Timing(time.process_time() - cpu, time.perf_counter() - wall)


def run(
    name: str, note: str, contestants: dict[str, Contestant], rounds: int = 5, by: str = "cpu_s"
) -> dict[str, float]:
    """Alternate the contestants, print and save the medians, and return each one's ratio to the first.

    by: what is compared, `cpu_s` or `wall_s`. A ratio of 4.0 says: takes four times as much as the first contestant.
    """
    timings: dict[str, list[Timing]] = {label: [] for label in contestants}
    for job in contestants.values():
        measure(job)  # warm caches alike
    for _ in range(rounds):
        for label, job in contestants.items():
            timings[label].append(measure(job))
    first = next(iter(contestants))
    rows = []
    for label, times in timings.items():
        both = zip(times, timings[first], strict=True)
        pairs = [getattr(t, by) / max(getattr(f, by), 1e-9) for t, f in both]
        rows.append(
            {
                "contestant": label,
                "cpu_s": round(statistics.median(t.cpu_s for t in times), 5),
                "wall_s": round(statistics.median(t.wall_s for t in times), 5),
                "ratio": round(statistics.median(pairs), 3),
                "ratio_min": round(min(pairs), 3),
                "ratio_max": round(max(pairs), 3),
            }
        )
    print(f"\n{name}: {note} ({rounds} rounds)")
    print(f"  {'contestant':<34} {'CPU s':>10} {'wall s':>10} {'ratio':>8}   min .. max")
    for r in rows:
        print(
            f"  {r['contestant']:<34} {r['cpu_s']:>10.4f} {r['wall_s']:>10.4f} {r['ratio']:>8.2f}"
            f"   {r['ratio_min']:.2f} .. {r['ratio_max']:.2f}"
        )
    save(name, note, {"rounds": rounds, "rows": rows})
    return {str(r["contestant"]): float(r["ratio"]) for r in rows}


def save(name: str, note: str, result: dict[str, object]) -> None:
    """Write benchmarks/results/<name>.json with what one needs to judge it: commit, machine, load, versions."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    record = {
        "name": name,
        "note": note,
        "date_utc": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M"),
        "commit": commit.stdout.strip() or "uncommitted",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {_cpu_model()}",
        "load_1min": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **result,
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")


def markdown() -> str:
    """The committed results as a table: a row a contestant, its CPU and its ratio to datatools."""
    rows = ["| job | contestant | CPU s | ratio |", "|---|---|---:|---:|"]
    machines = []
    for path in sorted(RESULTS.glob("*.json")):
        record = json.loads(path.read_text())
        if "cpu_s" not in record["rows"][0]:
            continue  # qualities, which have figures of their own
        for i, row in enumerate(record["rows"]):
            job = f"{record['name']}: {record['note']}" if i == 0 else ""
            rows.append(f"| {job} | {row['contestant']} | {row['cpu_s']:.3g} | {row['ratio']:.2f} |")
        machines.append(f"{record['name']} {record['date_utc']} UTC, load {record['load_1min']}, {record['commit']}")
        machine = f"{record['machine']}, Python {record['python']}"
    if not machines:
        return ""
    return "\n".join([*rows, "", f"Measured on {machine}: {'; '.join(machines)}."]) + "\n"


def refreshed(text: str) -> str:
    """The page with the table of results made anew between `<!-- benchmarks -->` and `<!-- end -->`."""
    section = re.compile(r"(<!-- benchmarks -->\n).*?(<!-- end -->)", re.DOTALL)
    return section.sub(lambda match: f"{match[1]}{markdown()}{match[2]}", text)


def bar(text: str, met: bool) -> bool:
    """Print a bar that the job is held to and whether it was met; return that."""
    print(f"  {'met   ' if met else 'MISSED'} {text}")
    return met


def finish(*met: bool) -> None:
    """End the script: exit 1 where a bar was missed."""
    sys.exit(0 if all(met) else 1)


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    return next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), "unknown processor")
