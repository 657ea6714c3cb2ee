"""The first page: what there is. Made from a table, so that it costs no imports."""

from datatools.core.groups import GROUPS

COMMANDS = {
    "run": "run the stages of a pipeline file; what did not change is kept",
    "status": "show which stages of a pipeline file are up to date, and what would run",
    "clean": "remove what runs of a pipeline file left lying about",
    "graph": "draw the stages of a pipeline file",
    "schema": "print the JSON Schema of pipeline files, for editors",
    "verify": "read every file of an output again: is it still what was made?",
    "why": "show what a file was made of, step by step, back to the raw data",
}


def overview() -> str:
    """The text of `datatools --help`."""
    width = max(map(len, (*GROUPS, *COMMANDS))) + 2
    lines = [
        "Usage: datatools GROUP COMMAND [ARGS]...",
        "",
        "Prepare machine-learning data sets, and prove that they are good.",
        "",
        "Groups (datatools GROUP --help lists their commands):",
        *(f"  {name:<{width}}{text}" for name, text in GROUPS.items()),
        "",
        "Commands:",
        *(f"  {name:<{width}}{text}" for name, text in COMMANDS.items()),
        "",
        "Options:",
        f"  {'--version':<{width + 6}}print the version",
        f"  {'--help':<{width + 6}}this page",
        "",
        "First steps: datatools voc lint SRC, or all at once: datatools run pipelines/detection.yaml --set root=SRC",
    ]
    return "\n".join(lines)
