"""The same run on Ray: the same bytes, journal and failures, whatever happens to workers and nodes."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datatools.cli.app import main
from datatools.core.errors import UsageError
from datatools.engine import items
from datatools.engine.executors import LocalRun
from datatools.engine.item_job import ItemJob
from datatools.engine.item_result import ItemsRun
from tests.engine import faulty
from tests.engine.faulty import CRASH, HANG, OPERATIONS, RAISE, picture

ray = pytest.importorskip("ray", reason="ray is not installed")

from datatools.engine import ray as engine  # noqa: E402  it needs no ray before it runs

ROOT = Path(__file__).resolve().parents[2]
# Ray leaves sockets and files to the garbage collector
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.xdist_group("ray")]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with twelve pictures in raw/."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(items, "ItemJob", faulty.Job)
    for number in range(12):
        picture(Path(f"raw/{number:02d}.png"), level=10 * number + 10)
    return tmp_path


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes of one core each, on this machine."""
    from ray.cluster_utils import Cluster

    os.environ["PYTHONPATH"] = str(ROOT)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    small = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    made = Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False})
    made.small = small
    made.second = made.add_node(**small)
    yield made
    ray.shutdown()
    made.shutdown()


def run(spread: LocalRun, **given: Any) -> ItemsRun:
    with spread:
        return items.run_items(OPERATIONS["haze.faulty"], {"src": Path("raw"), "out": Path("out"), **given}, spread)


def visible(root: Path = Path("out")) -> dict[str, bytes]:
    files = {str(p.relative_to(root)): p for p in sorted(root.rglob("*")) if p.is_file()}
    return {n: p.read_bytes() for n, p in files.items() if not n.startswith(".")}


def local(**given: Any) -> dict[str, bytes]:
    run(LocalRun(1, bars=False), **given)
    whole = visible()
    shutil.rmtree("out")
    return whole


def test_the_same_bytes_and_the_same_failures(cluster: Any) -> None:
    picture(Path("raw/03.png"), RAISE)
    picture(Path("raw/05.png"), CRASH)
    picture(Path("raw/07.png"), HANG)
    whole = local(item_timeout=1.0)
    result = run(engine.RayRun(address=cluster.address, bars=False), item_timeout=1.0)
    assert visible() == whole
    assert (result.made, result.failed) == (9, 3)
    assert {f["code"] for f in result.failures} == {"E-TEST", "E-ITEM-DIED", "E-ITEM-TIMEOUT"}
    again = run(engine.RayRun(address=cluster.address, bars=False))
    assert again.up_to_date


def test_a_node_that_goes_away_costs_nothing_but_time(cluster: Any) -> None:
    whole = local(sleep_ms=150.0)
    done: list[int] = []

    def progress(label: str, now: int, total: int) -> None:
        done.append(now)
        if now == 3 and cluster.second is not None:
            cluster.remove_node(cluster.second, allow_graceful=False)
            cluster.second = None

    result = run(engine.RayRun(address=cluster.address, progress=progress), sleep_ms=150.0)
    assert visible() == whole
    assert result.made == 12
    assert list(result.remarks()), "the loss is told"
    cluster.second = cluster.add_node(**cluster.small)


def command_of_parent(pid: str) -> str:
    """The command line of the process that started one: clusters of other people may run on the machine."""
    try:
        parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
        return Path(f"/proc/{parent}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def test_a_killed_worker_costs_nothing_but_time(cluster: Any) -> None:
    whole = local(sleep_ms=150.0)

    def killer() -> None:
        for _ in range(600):
            time.sleep(0.1)
            found = subprocess.run(["pgrep", "-f", "ray::_do_chunk"], capture_output=True, text=True).stdout.split()
            ours = [int(pid) for pid in found if cluster.address in command_of_parent(pid)]
            if ours:
                os.kill(ours[0], signal.SIGKILL)
                return

    thread = threading.Thread(target=killer)
    thread.start()
    result = run(engine.RayRun(address=cluster.address, bars=False), sleep_ms=150.0)
    thread.join()
    assert visible() == whole
    assert result.workers_lost >= 1


def test_wrong_versions_and_folders_that_are_not_shared_are_found_at_start(
    cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datatools

    with (  # noqa: PT012  the version is that of the call alone
        monkeypatch.context() as patched,
        pytest.raises(UsageError, match=r"node \S+ \w+: has datatools 0\.1\.0, this machine 9\.9\.9"),
    ):
        patched.setattr(datatools, "__version__", "9.9.9")
        run(engine.RayRun(address=cluster.address, bars=False))
    monkeypatch.setattr(engine.platform, "python_version", lambda: "2.7.18")
    with pytest.raises(UsageError, match=r"has Python 3\.\d+\.\d+, this machine 2\.7\.18"):
        run(engine.RayRun(address=cluster.address, bars=False))


def test_where_no_cluster_is_one_line_says_so() -> None:
    words = [sys.executable, "-m", "datatools", "haze", "remove", "raw", "out", "--engine", "ray"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*words, "--address", "127.0.0.1:1"], capture_output=True, text=True, env=env, timeout=100)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("datatools: --address 127.0.0.1:1: no Ray cluster there")
    assert "Traceback" not in done.stderr


def test_the_command_starts_a_cluster_of_its_own_and_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    words = [sys.executable, "-m", "datatools", "haze", "remove", "raw", "out", "--refine", "none", "-j", "1"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.run([*words, "--engine", "ray"], capture_output=True, text=True, env=env, timeout=120)
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    on_ray = visible()
    shutil.rmtree("out")
    monkeypatch.setattr(items, "ItemJob", ItemJob)
    assert main(words[3:]) == 0
    assert visible() == on_ray
