"""datatools: prepare machine-learning data sets, and prove that they are good.

Operations are plain functions: `datatools.voc.lint("set")`. Each is imported when it is first touched.
"""

from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    from datatools.core.groups import GROUPS

    if name not in GROUPS:
        raise AttributeError(f"module 'datatools' has no attribute {name!r}")
    from datatools.core.op import Group

    return Group(name)
