"""Running operations over data: processes, items, stages, progress."""

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatools.core import op
from datatools.core.errors import UsageError
from datatools.core.op import Op
from datatools.core.result import Result

if TYPE_CHECKING:
    from datatools.core.types import Run
    from datatools.engine.executors import LocalRun

Progress = Callable[[str, int, int], object]
"""Called with what is being done, how many items are done, and how many there are."""


def open_run(
    engine: str = "local",
    jobs: int = 0,
    address: str = "",
    *,
    bars: bool = True,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> "LocalRun":
    """How work is spread: over processes of this machine, or over a Ray cluster; a context manager.

    engine: `local` or `ray`. address: of a Ray cluster; empty starts one on this machine. Raises UsageError.
    """
    if engine == "ray":
        from datatools.engine.ray import RayRun

        return RayRun(jobs, address, bars=bars, progress=progress, cancel=cancel)
    if address:
        raise UsageError("--address is for --engine ray")
    from datatools.engine.executors import LocalRun

    return LocalRun(jobs, bars=bars, progress=progress, cancel=cancel)


def run(
    what: "str | os.PathLike[str] | Op[..., Any]",
    /,
    *,
    jobs: int = 0,
    engine: str = "local",
    run_engine: str = "",
    address: str = "",
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    settings: Mapping[str, str] | None = None,
    **parameters: Any,
) -> Result:
    """Run an operation or a pipeline file as its command does, print nothing, return the result.

    what: an operation or its name (`haze.remove`), or the path of a pipeline file (`.yaml`, `.yml`). jobs: processes,
    0 is one a core. engine, address: as `--engine` and `--address`; where the operation has a parameter `engine`, that
    is meant, and `run_engine` is as `--run-engine`. progress: called as items end. cancel: ends the run with Cancelled
    soon after it is set; what was done stays, and the same call goes on. settings: of a pipeline, as `--set`.
    parameters: of an operation, `src` and `out` among them; of a pipeline, those of `Policy`, `Selection` and
    `dry_run`.

    Raises what the command would end with, as exceptions of datatools.core.errors. A pipeline whose stage failed
    returns; its result says so in `failed`.

    >>> run("voc.classes", src=Path("fixtures/voc")).classes[0]
    'bicycle'
    """
    is_file = not isinstance(what, Op) and os.fspath(what).lower().endswith((".yaml", ".yml"))
    operation = None if is_file else what if isinstance(what, Op) else op.find(os.fspath(what))
    if operation and any(spec.name == "engine" for spec in operation.own):
        parameters |= {"engine": engine} if engine != "local" else {}
        engine = run_engine or "local"
    with open_run(engine, jobs, address, bars=False, progress=progress, cancel=cancel) as spread:
        if operation:
            return _operation(operation, parameters, spread)
        return _pipeline(Path(what), settings or {}, parameters, spread)  # type: ignore[arg-type]


def _operation(operation: Op[..., Any], parameters: Mapping[str, Any], spread: "Run") -> Result:
    from datatools.engine import runner

    known = {spec.name: spec for spec in operation.params}
    for name in parameters:
        if name not in known:
            raise TypeError(f"{operation.name} has no parameter {name!r}; it has {', '.join(known)}")
    missing = [name for name, spec in known.items() if spec.required and name not in parameters]
    if missing:
        raise TypeError(f"{operation.name} needs {', '.join(missing)}")
    given = {name: _as_path(known[name], value) for name, value in parameters.items()}
    return runner.execute(operation, given, spread)


def _as_path(spec: op.ParamSpecOf, value: Any) -> Any:
    if spec.type is not Path or value is None:
        return value
    return tuple(map(Path, value)) if spec.many else Path(value)


def _pipeline(path: Path, settings: Mapping[str, str], parameters: Mapping[str, Any], spread: "Run") -> Result:
    from datatools.engine import pipeline, stages

    loaded = pipeline.load(path, settings)
    left = dict(parameters)
    selection, policy = (
        kind(**{name: left.pop(name) for name in kind.__dataclass_fields__ if name in left})
        for kind in (stages.Selection, stages.Policy)
    )
    dry_run = bool(left.pop("dry_run", False))
    if left:
        raise TypeError(f"a pipeline takes no {', '.join(left)}")
    assert isinstance(selection, stages.Selection)
    assert isinstance(policy, stages.Policy)
    return stages.run_pipeline(loaded, spread, selection, policy, dry_run=dry_run)
