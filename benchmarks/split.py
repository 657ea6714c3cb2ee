"""Splits of 50,000 images against iterative-stratification; of 10,000 also against two slower ones.

Those are the usual script of Pascal VOC (random ids, membership looked up in lists) and scikit-multilearn.

The classes have a long tail (class k is 1 / k as frequent as the first), and images tend to repeat their class. The job
of each is to choose 10 % for validation; peers get their label matrix ready made, we count the boxes ourselves.
"""

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import contest
import numpy as np

from datatools.kernels import split

SHARE = 0.1

ITERSTRAT = """
import sys
import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold, MultilabelStratifiedShuffleSplit
data = np.load(sys.argv[2])
labels = np.zeros((int(data["n"]), int(data["n_classes"])), dtype=int)
labels[data["item"], data["label"]] = 1
def job():
    if sys.argv[4] == "split":
        chooser = MultilabelStratifiedShuffleSplit(n_splits=1, test_size=0.1, random_state=0)
    else:
        chooser = MultilabelStratifiedKFold(n_splits=10, shuffle=True, random_state=0)
    np.save(sys.argv[3], next(chooser.split(np.zeros(len(labels)), labels))[1])
"""

MULTILEARN = """
import sys
import numpy as np
from skmultilearn.model_selection import iterative_train_test_split
data = np.load(sys.argv[2])
labels = np.zeros((int(data["n"]), int(data["n_classes"])), dtype=int)
labels[data["item"], data["label"]] = 1
def job():
    np.random.seed(0)
    items = np.arange(len(labels)).reshape(-1, 1)
    np.save(sys.argv[3], iterative_train_test_split(items, labels, test_size=0.1)[2].ravel())
"""


class Case:
    """A set of n images, and what everybody chose for validation."""

    def __init__(self, folder: Path, n: int, n_classes: int) -> None:
        rng = np.random.default_rng(n_classes)
        frequency = 1 / np.arange(1, n_classes + 1)
        frequency /= frequency.sum()
        self.n, self.n_classes = n, n_classes
        self.item = np.repeat(np.arange(n), rng.poisson(3, n))
        usual = rng.choice(n_classes, n, p=frequency)[self.item]
        other = rng.choice(n_classes, self.item.size, p=frequency)
        self.label = np.where(rng.random(self.item.size) < 0.4, usual, other)
        self.folder = folder
        self.data = folder / f"{n}x{n_classes}.npz"
        np.savez(self.data, n=n, n_classes=n_classes, item=self.item, label=self.label)
        self.chosen: dict[str, Callable[[], np.ndarray]] = {}

    def ours(self) -> Callable[[], object]:
        targets = split.share_out(self.n, [1 - SHARE, SHARE])
        found = []

        def job() -> None:
            units = split.tally(np.arange(self.n), self.item, self.label, self.n_classes)
            found[:] = [split.assign(units, targets, np.random.default_rng(0))]

        self.chosen["datatools"] = lambda: np.flatnonzero(found[0])
        return job

    def peer(self, name: str, code: str, *args: str) -> Callable[[], object]:
        answer = self.folder / f"{self.data.stem}-{name}.npy"
        self.chosen[name] = lambda: np.load(answer)
        return contest.peer(code, self.data, answer, *args, python=contest.PEER_PYTHON)

    def usual_script(self) -> Callable[[], object]:
        found: list[int] = []

        def job() -> None:
            random.seed(0)
            train = random.sample(range(self.n), int(self.n * (1 - SHARE)))
            found[:] = [i for i in range(self.n) if i not in train]

        self.chosen["usual script"] = lambda: np.array(found)
        return job

    def judge(self, name: str) -> tuple[int, float]:
        """Items too many or too few, and the worst relative error of a class's share of objects."""
        chosen = np.zeros(self.n, dtype=bool)
        chosen[self.chosen[name]()] = True
        part = np.bincount(self.label[chosen[self.item]], minlength=self.n_classes)
        whole = np.bincount(self.label, minlength=self.n_classes)
        off = int(chosen.sum()) - round(self.n * SHARE)
        return off, float(np.abs(part / whole / SHARE - 1).max())


def compete(folder: Path, n: int, n_classes: int, *, slow: bool, rounds: int) -> list[bool]:
    case = Case(folder, n, n_classes)
    contestants = {"datatools": case.ours()}
    if contest.has_peer("iterstrat"):
        for form in ("split", "k-fold"):
            name = f"iterative-stratification, {form}"
            contestants[name] = case.peer(name, ITERSTRAT, form)
    if slow:
        contestants["usual script"] = case.usual_script()
        if contest.has_peer("skmultilearn"):
            contestants["scikit-multilearn"] = case.peer("scikit-multilearn", MULTILEARN)
    note = f"{n} images, {n_classes} long-tailed classes, 10 % validation"
    ratios = contest.run(f"split_{n}x{n_classes}", note, contestants, rounds)
    judged = {name: case.judge(name) for name in contestants}
    for name, (off, worst) in judged.items():
        print(f"  {name:<34} size off by {off:>4}, worst error of a class's share {worst:.2%}")
    off, worst = judged["datatools"]
    met = [contest.bar("the size is exact", off == 0)]
    for name in contestants:
        if name.startswith("iterative-stratification"):
            theirs, ratio = judged[name][1], ratios[name]
            met.append(contest.bar(f"worst error below that of {name}: {worst:.2%}, {theirs:.2%}", worst < theirs))
            met.append(
                contest.bar(f"at most a third of the CPU of {name}: it takes {ratio:.1f} times ours", ratio >= 3)
            )
    return met


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        met = [
            *compete(folder, 50_000, 20, slow=False, rounds=5),
            *compete(folder, 50_000, 80, slow=False, rounds=5),
            *compete(folder, 10_000, 20, slow=True, rounds=3),
        ]
    contest.finish(*met)


if __name__ == "__main__":
    main()
