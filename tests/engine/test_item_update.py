"""An output that nobody touched, brought up to date as a whole: the same bytes as if all were made anew."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datatools.core.errors import Cancelled, DataError, UsageError
from datatools.engine import item_update, items, worker
from datatools.io import journal
from tests.engine import faulty
from tests.engine.faulty import RAISE, picture
from tests.engine.test_items import OUT, run, visible

Taken = list[item_update.Update]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory with forty pictures and a label file in raw/, and the output that was made of them."""
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[2])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(items, "ItemJob", faulty.Job)
    for number in range(40):
        picture(Path(f"raw/{'ab'[number % 2]}/{number}.png"), level=number + 10)
    Path("raw/labels.txt").write_text("a\n")


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Taken:
    """The updates that were begun."""
    made: Taken = []

    class Watched(item_update.Update):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            made.append(self)

    monkeypatch.setattr(items, "Update", Watched)
    return made


def change() -> None:
    """Change one item, add one, remove one, and touch one."""
    picture(Path("raw/a/0.png"), level=77)
    picture(Path("raw/c/99.png"), level=99)
    Path("raw/b/1.png").unlink()
    os.utime("raw/b/3.png", (1, 1))


def anew() -> dict[str, bytes]:
    """The output as a run makes it that knows of none before."""
    shutil.move(OUT, "aside")
    run()
    whole = visible()
    shutil.rmtree(OUT)
    shutil.move("aside", OUT)
    return whole


def rows() -> dict[str, list[str]]:
    with journal.Journal(OUT / journal.JOURNAL) as lines:
        return {row.id: [one.name for one in row.outputs] for row in lines.rows()}


def test_the_same_bytes_as_if_all_were_made_anew(taken: Taken) -> None:
    run()
    change()
    result = run()
    assert len(taken) == 1
    assert (result.made, result.kept, result.removed, result.carried) == (2, 38, 1, 1)
    assert visible() == anew(), "with the sums of run.json"
    assert sorted(name for names in rows().values() for name in names) == sorted(visible())
    assert run().up_to_date


def test_again_and_again() -> None:
    run()
    for level in range(3):
        picture(Path("raw/a/0.png"), level=100 + level)
        Path(f"raw/b/{2 * level + 1}.png").unlink()
        assert run().made == 1
    assert visible() == anew()


def test_only_removed(taken: Taken) -> None:
    run()
    shutil.rmtree("raw/b")
    result = run()
    assert (len(taken), result.made, result.kept, result.removed) == (1, 0, 20, 20)
    assert visible() == anew()
    assert not (OUT / "b").exists()


def test_an_item_that_failed_stays_listed(taken: Taken) -> None:
    picture(Path("raw/b/5.png"), RAISE)
    run()
    listed = (OUT / "failures.jsonl").read_bytes()
    picture(Path("raw/a/0.png"), level=77)
    result = run()
    assert (len(taken), result.made, result.kept, result.failed) == (1, 1, 38, 1)
    assert (OUT / "failures.jsonl").read_bytes() == listed
    picture(Path("raw/b/5.png"), level=7)
    assert run().failed == 0
    assert visible() == anew()


def test_an_item_that_begins_to_fail_loses_its_output() -> None:
    run()
    picture(Path("raw/b/5.png"), RAISE)
    assert run().failed == 1
    assert not (OUT / "b" / "5.png").exists()
    assert visible() == anew()


def damage_a_row(line: bytes) -> bytes:
    return line.replace(b'"out"', b'"aut"')


def lose_an_id(line: bytes) -> bytes:
    return line.replace(b'{"id": ', b'{"ib": ')


@pytest.mark.parametrize("damage", [damage_a_row, lose_an_id])
def test_a_damaged_journal_is_not_trusted(damage: Callable[[bytes], bytes]) -> None:
    run()
    path = OUT / journal.JOURNAL
    lines = path.read_bytes().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if b'"b/1.png"' in line)
    path.write_bytes(b"".join([*lines[:at], damage(lines[at]), *lines[at + 1 :]]))
    change()
    run(force=True) if damage is lose_an_id else run()
    assert visible() == anew()
    assert not (OUT / "b" / "1.png").exists()


def test_where_there_are_no_links(taken: Taken, monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    change()
    whole = anew()

    def none(*given: Any, **named: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", none)
    ids = done(monkeypatch)
    result = run()
    assert len(taken) == 1
    assert sorted(ids) == ["a/0.png", "c/99.png"]
    assert (result.made, result.kept, result.removed) == (2, 38, 1)
    assert visible() == whole


def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the items that are done from now on."""
    ids: list[str] = []
    apply = worker.apply

    def noted(job: Any, task: Any) -> tuple[bool, Any]:
        ids.append(task.id)
        return apply(job, task)

    monkeypatch.setattr(worker, "apply", noted)
    return ids


def test_where_much_has_changed_the_rest_is_kept_all_the_same(taken: Taken, monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    monkeypatch.setattr(items, "FEW", 3)
    changed = [f"a/{number}.png" for number in range(0, 10, 2)]
    for level, name in enumerate(changed):
        picture(Path("raw") / name, level=100 + level)
    ids = done(monkeypatch)
    result = run()
    assert taken == []
    assert (result.made, result.kept) == (5, 35)
    assert sorted(ids) == sorted(changed)
    assert visible() == anew()


def test_a_run_that_is_cut_off_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*given: Any) -> None:
        raise Cancelled

    run()
    change()
    with monkeypatch.context() as cut_off:
        cut_off.setattr(items.item_finish, "finish", killed)
        with pytest.raises(Cancelled):
            run()
    assert Path("out.partial/b/5.png").exists(), "the links are there"
    before = visible()
    assert "c/99.png" not in before, "and the old output is what it was"
    result = run()
    assert (result.made, result.kept) == (0, 40), "what was done counts"
    assert visible() == anew()


def test_an_item_that_would_be_called_as_another_does_not_harm_the_old_output() -> None:
    run()
    before = visible()
    shutil.copy("raw/a/0.png", "raw/a/2.gif")  # its output would be a/2.png
    with pytest.raises(DataError, match="E-ITEM-NAMES"):
        run()
    assert visible() == before
    Path("raw/a/2.gif").unlink()
    assert run().up_to_date
    assert visible() == before


def test_a_change_inside_a_folder_of_which_the_rest_is_the_same_is_seen() -> None:
    run()
    picture(Path("raw/a/0.png"), level=77)
    run()
    picture(Path("raw/b/5.png"), level=78)  # the folder a/ is now what it was
    result = run()
    assert (result.made, result.kept) == (1, 39)
    os.utime("raw/a/2.png", (5, 5))
    os.rename("raw/a/4.png", "raw/a/five.png")
    result = run()
    assert (result.made, result.kept, result.removed) == (1, 39, 1)
    assert visible() == anew()


def test_what_somebody_changed_in_out_is_seen_after_an_update(taken: Taken) -> None:
    run()
    picture(Path("raw/a/0.png"), level=77)
    run()
    (OUT / "b" / "1.png").write_bytes(b"mine")
    picture(Path("raw/a/0.png"), level=78)
    with pytest.raises(UsageError, match=r"b/1\.png was changed since it was made"):
        run()
    assert len(taken) == 1
    run(force=True)
    assert visible() == anew()


def test_folders_whose_names_are_not_written_as_they_are(taken: Taken) -> None:
    for number, folder in enumerate(("ö", 'say "so"', "two words")):
        picture(Path("raw") / folder / "1.png", level=50 + number)
        picture(Path("raw") / folder / "2.png", level=60 + number)
    run()
    picture(Path("raw/a/0.png"), level=77)
    result = run()
    assert (len(taken), result.made, result.kept, result.removed) == (1, 1, 45, 0)
    picture(Path("raw/ö/1.png"), level=78)
    Path('raw/say "so"/2.png').unlink()
    result = run()
    assert (len(taken), result.made, result.kept, result.removed) == (2, 1, 44, 1)
    assert visible() == anew()
