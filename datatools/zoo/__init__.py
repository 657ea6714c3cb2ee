"""Networks: small, exact, and each checked against the published figures of its paper.

    from datatools import zoo

    model = zoo.create("mobilenet_v3_small", num_classes=10)

The operations of the group are here too (`zoo.summary("resnet18")`), so no module of this package bears the name of
one. Nothing of torch is imported before a network is made.
"""

from typing import Any

from datatools.zoo.registry import create, names

__all__ = ["create", "names"]


def __getattr__(name: str) -> Any:
    from datatools.core.op import Group

    if name.startswith("_"):
        raise AttributeError(f"module 'datatools.zoo' has no attribute {name!r}")
    return getattr(Group("zoo"), name)
