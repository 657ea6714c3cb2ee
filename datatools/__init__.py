"""datatools: prepare machine-learning data sets, and prove that they are good.

Operations are plain functions: `datatools.voc.lint("set")`. Each is imported when it is first touched.
"""

from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    from datatools.core.groups import GROUPS

    if name not in GROUPS:
        raise AttributeError(f"module 'datatools' has no attribute {name!r}")
    if name == "zoo":  # a package of its own, which has the group's operations beside its networks
        import importlib

        return importlib.import_module("datatools.zoo")
    from datatools.core.op import Group

    return Group(name)
