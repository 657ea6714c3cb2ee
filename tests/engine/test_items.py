"""Operations on items: only what changed is done, the rest is kept, the bad ones are listed."""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datatools.core.errors import Cancelled, DataError, InUse, UsageError
from datatools.engine import items, runner, worker
from datatools.engine.executors import LocalRun
from datatools.engine.item_result import ItemsRun
from datatools.engine.workers import Outcome
from datatools.io import folders
from tests.engine import faulty
from tests.engine.faulty import BUG, CRASH, FINE, HANG, MEMORY, OPERATIONS, RAISE, picture

OUT = Path("out")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with six pictures in two folders and a label file in raw/."""
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[2])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(items, "ItemJob", faulty.Job)
    for number in range(6):
        picture(Path(f"raw/{'ab'[number % 2]}/{number}.png"), level=10 * number + 10)
    Path("raw/labels.txt").write_text("a\n")
    return tmp_path


class Here(LocalRun):
    """Does the work in this process: most of what is tested here does not depend on where it is done."""

    def stream(
        self, job: Any, tasks: Iterator[Any], total: int, timeout_s: float = 0.0, ahead: int = 2
    ) -> Iterator[Outcome | None]:
        for task in tasks:
            fine, what = worker.apply(job, task)
            yield Outcome(task, value=what) if fine else Outcome(task, error=what)
            self.check()


def run(name: str = "haze.faulty", jobs: int = 0, **given: Any) -> ItemsRun:
    """jobs: processes; 0 is this one."""
    spread = LocalRun(jobs) if jobs else Here(1)
    return items.run_items(OPERATIONS[name], {"src": Path("raw"), "out": OUT, **given}, spread)


def visible(root: Path = OUT) -> dict[str, bytes]:
    files = (p for p in sorted(root.rglob("*")) if p.is_file())
    named = {str(p.relative_to(root)): p for p in files}
    return {n: p.read_bytes() for n, p in named.items() if not n.startswith(".")}


def stamps(root: Path = OUT) -> dict[str, tuple[int, int]]:
    return {str(p): (p.stat().st_ino, p.stat().st_mtime_ns) for p in sorted(root.rglob("*")) if p.is_file()}


def test_every_item_is_made_and_every_other_file_comes_along() -> None:
    result = run()
    assert (result.items, result.made, result.kept, result.carried, result.failed) == (6, 6, 0, 1, 0)
    assert set(visible()) == {*visible(Path("raw")), "run.json"}
    assert visible()["labels.txt"] == b"a\n"
    assert not Path("out.partial").exists()


def test_a_second_run_writes_nothing() -> None:
    run()
    before = stamps()
    again = run()
    assert again.up_to_date
    assert (again.items, again.made) == (6, 6), "the answer is that of the run that made it"
    assert stamps() == before


def test_a_new_a_changed_and_a_deleted_input_touch_just_their_own_outputs() -> None:
    run()
    before = stamps()
    picture(Path("raw/a/0.png"), level=77)
    picture(Path("raw/c/9.png"), level=99)
    Path("raw/b/1.png").unlink()
    plan = run(dry_run=True)
    assert plan.reasons == {"input changed": 1, "new": 1}
    assert stamps() == before
    result = run()
    assert (result.made, result.kept, result.removed) == (2, 4, 1)
    after = stamps()
    assert {n for n in after if after[n] != before.get(n) and ".datatools" not in n} == {
        "out/a/0.png", "out/c/9.png", "out/run.json",
    }  # fmt: skip
    assert not Path("out/b/1.png").exists()
    shutil.rmtree("out2", ignore_errors=True)
    assert run(out=Path("out2")).made == 6
    assert visible() == visible(Path("out2"))


def test_a_changed_parameter_redoes_all_and_says_which() -> None:
    run(add=1)
    assert run(add=2, dry_run=True).reasons == {"parameter `add` 1 -> 2": 6}
    assert run(add=2).made == 6
    assert run(add=2).up_to_date


def test_a_new_version_redoes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    monkeypatch.setattr(OPERATIONS["haze.faulty"], "version", 2)
    assert run(dry_run=True).reasons == {"version 1 -> 2": 6}


def test_a_touched_file_with_the_same_bytes_is_kept_and_known_the_next_time() -> None:
    run()
    before = stamps()
    os.utime("raw/a/0.png")
    assert run().up_to_date
    after = stamps()
    assert {n: s for n, s in after.items() if ".datatools" not in n} == {
        n: s for n, s in before.items() if ".datatools" not in n
    }


@pytest.mark.parametrize("year", [1970, 2100])
def test_odd_times_of_files_change_nothing(year: int) -> None:
    run()
    whole = visible()
    when = (year - 1970) * 31_557_600
    for path in Path("raw").rglob("*.png"):
        os.utime(path, (when, when))
    assert run().up_to_date
    picture(Path("raw/a/0.png"), level=200)
    os.utime("raw/a/0.png", (when, when))
    assert run().made == 1
    assert visible()["a/0.png"] != whole["a/0.png"]


def test_a_change_of_the_same_size_within_the_clocks_tick_is_seen() -> None:
    for level in range(60, 70):
        path = picture(Path("raw/a/0.png"), level=level)
        status = path.stat()
        run()
        picture(path, level=level + 100)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert run().made == 1


def test_a_lost_output_is_made_again() -> None:
    run()
    whole = visible()
    Path("out/a/0.png").unlink()
    assert run(dry_run=True).reasons == {"output lost": 1}
    assert run().made == 1
    assert visible() == whole


def test_what_somebody_changed_in_out_is_not_thrown_away() -> None:
    run()
    Path("out/a/0.png").write_bytes(b"mine")
    picture(Path("raw/a/2.png"), level=1)
    with pytest.raises(UsageError, match=r"a/0\.png was changed since"):
        run()
    Path("out/mine.txt").write_text("x")
    with pytest.raises(UsageError, match="1 more files were changed"):
        run()
    assert Path("out/a/0.png").read_bytes() == b"mine"
    assert run(force=True).made == 6
    assert not Path("out/mine.txt").exists()


def test_the_output_of_something_else_is_not_replaced() -> None:
    run()
    with pytest.raises(UsageError, match=r"was made by haze\.faulty"):
        run("haze.counted")
    shutil.copytree("raw", "raw2")
    with pytest.raises(UsageError, match="from another input"):
        run(src=Path("raw2"))
    Path("theirs").mkdir()
    Path("theirs/x").write_text("x")
    with pytest.raises(UsageError, match="not made by datatools"):
        run(out=Path("theirs"))


@pytest.mark.parametrize(
    ("what", "code"),
    [
        (RAISE, "E-TEST"),
        (BUG, "E-ITEM-ERROR"),
        (CRASH, "E-ITEM-DIED"),
        (HANG, "E-ITEM-TIMEOUT"),
        (MEMORY, "E-ITEM-MEMORY"),
    ],
)
def test_one_bad_item_costs_itself(what: int, code: str) -> None:
    picture(Path("raw/a/2.png"), what)
    result = run(jobs=2, item_timeout=1.0 if what == HANG else 0.0)
    assert (result.items, result.made, result.failed, result.problems) == (6, 5, 1, 1)
    assert [f["code"] for f in result.failures] == [code]
    (line,) = Path("out/failures.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert told["item"] == "a/2.png"
    assert told["error"]["code"] == code
    assert not Path("out/a/2.png").exists()
    assert json.loads(Path("out/run.json").read_text())["failures"] == 1


def test_a_failed_item_is_tried_again_only_when_it_is_asked_for_or_changed() -> None:
    picture(Path("raw/a/2.png"), RAISE)
    run()
    again = run()
    assert again.up_to_date
    assert (again.failed, again.problems) == (1, 1)
    assert run(retry_failed=True).failed == 1
    picture(Path("raw/a/2.png"), FINE)
    result = run()
    assert (result.made, result.kept, result.failed) == (1, 5, 0)
    assert not Path("out/failures.jsonl").exists()


def test_a_file_that_is_no_picture_fails_and_is_named() -> None:
    Path("raw/a/2.png").write_bytes(b"no picture")
    os.mkfifo("raw/a/pipe.png")
    Path("raw/a/gone.png").symlink_to("/etc/passwd")
    result = run()
    assert (result.items, result.failed) == (6, 1)
    assert str(DataError(**result.failures[0])).startswith("a/2.png: E-IMAGE")


def test_on_error_stop_ends_at_the_first_and_the_same_call_goes_on() -> None:
    picture(Path("raw/b/5.png"), RAISE)
    with pytest.raises(DataError, match="E-TEST"):
        run(on_error="stop")
    assert not OUT.exists()
    picture(Path("raw/b/5.png"), FINE)
    assert run().items == 6


def test_too_many_failures_end_the_run() -> None:
    for number in (0, 2, 4):
        picture(Path(f"raw/a/{number}.png"), RAISE)
    with pytest.raises(DataError, match=r"E-TOO-MANY-FAILURES: .* of 6 items failed, more than --max-failures 0.2"):
        run(max_failures=0.2)
    assert run(max_failures=0.5).failed == 3


def test_the_same_bytes_for_any_number_of_processes_and_any_order() -> None:
    outs = []
    for jobs in (1, 2, 8):
        result = run("haze.noisy", jobs=jobs, copies=3, keep_originals=True, seed=7)
        assert result.made == 6
        outs.append(visible())
        shutil.rmtree(OUT)
    assert outs[0] == outs[1] == outs[2]
    assert len([n for n in outs[0] if n.startswith("a/")]) == 3 * 4
    run("haze.noisy", copies=3, keep_originals=True, seed=8)
    assert visible()["a/0_1.png"] != outs[0]["a/0_1.png"]


def test_what_was_taken_from_another_item_is_an_input() -> None:
    run("haze.blend", seed=1)
    whole = visible()
    picture(Path("raw/a/0.png"), level=250)
    result = run("haze.blend", seed=1)
    assert 1 <= result.made < 6
    fresh = items.run_items(OPERATIONS["haze.blend"], {"src": Path("raw"), "out": Path("out2"), "seed": 1}, LocalRun(2))
    assert fresh.made == 6
    assert visible() == visible(Path("out2"))
    assert visible() != whole


def test_what_is_known_of_the_whole_set_is_part_of_every_key() -> None:
    run("haze.counted")
    Path("raw/a/0.png").unlink()
    assert run("haze.counted").made == 5


def test_one_file_makes_one_file(capsys: pytest.CaptureFixture[str]) -> None:
    result = run(src=Path("raw/a/0.png"), out=Path("one.jpg"))
    assert result.made == 1
    assert Path("one.jpg").read_bytes().startswith(b"\xff\xd8")
    assert sorted(p.name for p in Path().iterdir()) == ["one.jpg", "raw"]
    with pytest.raises(UsageError, match="exists"):
        run(src=Path("raw/a/0.png"), out=Path("one.jpg"))
    with pytest.raises(UsageError, match="is the input"):
        run(src=Path("raw/a/0.png"), out=Path("raw/a/0.png"), force=True)
    picture(Path("bad.png"), RAISE)
    with pytest.raises(DataError, match="E-TEST"):
        run(src=Path("bad.png"), out=Path("bad.jpg"))
    assert run(src=Path("raw/a/0.png")).items == 1
    assert visible().keys() == {"0.png", "run.json"}


def test_an_output_may_not_touch_its_input() -> None:
    for out in ("raw", "raw/out", "."):
        with pytest.raises(UsageError):
            run(out=Path(out))


def test_a_run_can_be_cancelled_and_goes_on() -> None:
    cancel = threading.Event()
    seen: list[int] = []

    def progress(label: str, done: int, total: int) -> None:
        seen.append(done)
        if done == 3:
            cancel.set()

    given = {"src": Path("raw"), "out": OUT, "sleep_ms": 30.0}
    with pytest.raises(Cancelled):
        items.run_items(OPERATIONS["haze.faulty"], given, LocalRun(1, progress=progress, cancel=cancel))
    assert not OUT.exists()
    result = run(sleep_ms=30.0)
    assert result.kept > 0
    assert result.kept + result.made == 6
    assert seen[0] == 0


def test_damage_in_what_a_cut_off_run_left_is_seen() -> None:
    cancel = threading.Event()
    given = {"src": Path("raw"), "out": OUT, "sleep_ms": 30.0}
    run_ = Here(1, progress=lambda label, done, total: done >= 4 and cancel.set(), cancel=cancel)
    with pytest.raises(Cancelled):
        items.run_items(OPERATIONS["haze.faulty"], given, run_)
    left = sorted(Path("out.partial").rglob("*.png"))
    assert left
    data = bytearray(left[0].read_bytes())
    data[-20] ^= 1
    left[0].write_bytes(data)
    Path("out.partial/a/stray.png").write_bytes(b"half")
    run(sleep_ms=30.0)
    first = visible()
    shutil.rmtree(OUT)
    run(sleep_ms=30.0)
    assert visible() == first


def test_two_runs_on_one_output_never_mix() -> None:
    with folders.resumable(OUT, inputs=[Path("raw")], keep="x"), pytest.raises(InUse, match="is making it"):
        run()


def test_an_empty_set_makes_an_empty_output() -> None:
    Path("none").mkdir()
    with pytest.raises(UsageError, match="none"):
        run(src=Path("absent_none"))
    result = run(src=Path("none"))
    assert (result.items, result.made) == (0, 0)
    assert set(visible()) == {"run.json"}


def test_names_that_are_no_text_work() -> None:
    os.rename("raw/a/0.png", b"raw/a/\xff\xfe.png")
    picture(Path("raw/a/2.png"), RAISE)
    assert run().failed == 1
    assert os.path.exists(b"out/a/\xff\xfe.png")
    assert run().up_to_date


def test_bounds_are_checked_before_anything_is_written() -> None:
    from datatools.core import op

    with pytest.raises(UsageError, match="--patch must be at least 1"):
        runner.execute(op.find("haze.remove"), {"src": Path("raw"), "out": OUT, "patch": 0}, LocalRun(1))
    assert not OUT.exists()


def rows() -> Iterator[dict[str, Any]]:
    for line in Path("out/.datatools/journal.jsonl").read_text().splitlines():
        yield json.loads(line)


def test_items_in_are_written_rejected_or_carried() -> None:
    picture(Path("raw/a/2.png"), RAISE)
    run()
    names = [row["id"] for row in rows()]
    assert names[-2:] == [".set", ".record"]
    assert names[:-2] == sorted(visible(Path("raw")), key=lambda n: (n.count("/"), n))
