"""What a user waits for before anything happens: `--help`, beside a bare Python and Datumaro's."""

import resource
import subprocess
import sys
from pathlib import Path

import contest

BIN = Path(sys.executable).parent
DATUM = contest.PEER_PYTHON.parent / "datum"


def command(*words: str | Path) -> contest.Contestant:
    """A contestant that runs the command and counts the CPU of its process."""

    def job() -> contest.Timing:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return contest.Timing(cpu_s, cpu_s)

    return job


def main() -> None:
    """Compare, and hold ourselves to the bars."""
    contestants = {
        "python -c pass": command(sys.executable, "-c", "pass"),
        "datatools --help": command(BIN / "datatools", "--help"),
        "datatools voc lint --help": command(BIN / "datatools", "voc", "lint", "--help"),
        "datatools anchors kmeans --help": command(BIN / "datatools", "anchors", "kmeans", "--help"),
    }
    if DATUM.exists():
        contestants["datum --help"] = command(DATUM, "--help")
    ratios = contest.run("startup", "CPU seconds of the whole process", contestants, rounds=9)
    contest.finish(
        contest.bar("datatools --help at most 7 times python -c pass", ratios["datatools --help"] <= 7),
        contest.bar("voc lint --help at most 8 times", ratios["datatools voc lint --help"] <= 8),
        contest.bar("anchors kmeans --help at most 8 times", ratios["datatools anchors kmeans --help"] <= 8),
    )


if __name__ == "__main__":
    main()
