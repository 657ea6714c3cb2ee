"""Why a stage on a whole set has to run: what it is made of, against what is remembered of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datatools.core.errors import escape
from datatools.engine import runner
from datatools.engine.pipeline import Pipeline, Stage
from datatools.engine.stage_memory import Memory, State, file_name, stat_of, tree_cache


def key_of(stage: Stage, contents: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The stage's key, and what went into it under names that a user knows.

    contents: what stands for the bytes that the stages before it made; equal ones make equal bytes.
    """
    import xxhash

    made = set(stage.inputs) - set(stage.sources)
    read = [path for path in runner.input_paths(stage.op, stage.arguments) if path not in made]
    parts = {
        "op": stage.op.name,
        "version": stage.op.version,
        "parameters": runner.parameters(stage.op, stage.arguments),
        "inputs": {} if stage.op.items else {str(path): runner.tree_digest(path, tree_cache(path)) for path in read},
        "stages": {need: contents[need] for need in stage.needs},
    }
    return xxhash.xxh3_128_hexdigest(json.dumps(parts, sort_keys=True).encode()), parts


def why(
    stage: Stage, key: str, parts: Mapping[str, Any], memory: Memory | None, state: State, pipeline: Pipeline
) -> str:
    """Why the stage has to run; nothing when it can be kept."""
    if memory is None:
        return "new"
    if memory.key != key:
        changed = runner.difference(memory.parts, parts)
        before = memory.parts.get("stages", {})
        stages = [need for need, content in parts["stages"].items() if before.get(need) != content]
        return f"stage {stages[0]} changed" if changed == "input changed" and stages else changed
    others = files_of_others(stage, state, pipeline)
    touched = [name for name, stat in memory.files.items() if name not in others and stat_of(name) != stat]
    return f"output changed: {touched[0]}" if touched else ""


def may_replace(stage: Stage, key: str, memory: Memory | None) -> bool:
    """Whether the output may be replaced if nobody changed it: this stage made it.

    What a run that was killed made, before it was remembered, is known by the record inside.
    """
    made = runner.read_made(stage.out) if stage.out is not None else None
    return made is not None and (memory is not None or made.key == key or made.same_source(stage.op, stage.arguments))


def refusal(stage: Stage, state: State, pipeline: Pipeline) -> str:
    """Why the output may not be replaced all the same: somebody changed it who is no stage of this pipeline."""
    made = runner.read_made(stage.out) if stage.out is not None else None
    if stage.out is None or made is None:
        return ""
    by_others = files_of_others(stage, state, pipeline)
    foreign = [name for name in made.changes(stage.out) if file_name(stage.out / name) not in by_others]
    if not foreign:
        return ""
    more = f" and {len(foreign) - 1} more files were" if len(foreign) > 1 else " was"
    return f"{escape(stage.out)}: {escape(foreign[0])}{more} changed since it was made (--force replaces it)"


def files_of_others(stage: Stage, state: State, pipeline: Pipeline) -> set[str]:
    """The names of the files that other stages of the pipeline left behind."""
    return state.files_of(other for other in pipeline.stages if other.id != stage.id)


def inside(out: Path | None, names: set[str]) -> frozenset[str]:
    """Those of the names that lie below the folder, relative to it."""
    if out is None:
        return frozenset()
    start = file_name(out) + "/"
    return frozenset(name.removeprefix(start) for name in names if name.startswith(start))
