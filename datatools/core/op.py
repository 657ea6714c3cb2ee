"""An operation is one typed function. Everything else is read off its signature.

    @op("voc.lint", version=1)
    def lint(src: Dataset, *, deep: Annotated[bool, Param("decode every image")] = False, run: Run = SERIAL) -> Lint:
        '''Name every problem of a Pascal VOC set.'''

The Python API is the function itself; the command line, the stages of a pipeline, their JSON Schema and the docs come
from `Op.params`. Parameters before the `*` are positional words of the command; a parameter called `run` is handed in.
"""

import functools
import importlib
import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, ParamSpec, TypeVar

from datatools.core.errors import UsageError
from datatools.core.groups import GROUPS

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)

_registry: dict[str, "Op[..., Any]"] = {}


@dataclass(frozen=True, slots=True)
class Param:
    """What a signature cannot say about a parameter in its type: help, bounds, flags.

    flags: further or other spellings on the command line; given one that starts with `--`, it replaces the name's.
    writes: the parameter names something that the operation makes: a file, a folder, or files inside a folder that may
    be there already.
    """

    help: str
    flags: tuple[str, ...] = ()
    metavar: str = ""
    ge: float | None = None
    le: float | None = None
    gt: float | None = None
    lt: float | None = None
    writes: Literal["", "file", "folder", "files"] = ""

    def bound_error(self, value: float) -> str:
        """What is wrong with the value, or nothing."""
        if value != value:
            return "must be a number"
        if self.ge is not None and value < self.ge:
            return f"must be at least {self.ge:g}"
        if self.gt is not None and value <= self.gt:
            return f"must be greater than {self.gt:g}"
        if self.le is not None and value > self.le:
            return f"must be at most {self.le:g}"
        if self.lt is not None and value >= self.lt:
            return f"must be less than {self.lt:g}"
        return ""


@dataclass(frozen=True, slots=True)
class ParamSpecOf:
    """One parameter of an operation, read off the signature.

    type: the type without Annotated, Optional and tuple around it. choices: of a Literal.
    many: a tuple of values (an option given several times, or a list in YAML). default: `required` where there is none.
    """

    name: str
    type: type
    param: Param
    default: Any
    required: bool
    optional: bool
    many: bool
    positional: bool
    choices: tuple[str, ...]

    @property
    def flag(self) -> str:
        """The long option of the command line."""
        named = [f for f in self.param.flags if f.startswith("--")]
        return named[0] if named else "--" + self.name.replace("_", "-")

    @property
    def flags(self) -> tuple[str, ...]:
        """All spellings of the option, the short ones first."""
        return tuple(dict.fromkeys([f for f in self.param.flags if not f.startswith("--")] + [self.flag]))

    def check(self, value: Any) -> None:
        """Raise UsageError where the value breaks the bounds."""
        if value is None or not isinstance(value, int | float) or isinstance(value, bool):
            return
        if error := self.param.bound_error(value):
            raise UsageError(f"{self.flag} {error} (got {value:g})")


class Op(Generic[P, R_co]):
    """A named, versioned operation. Calling it calls the function, after its bounds are checked."""

    def __init__(self, name: str, version: int, function: Callable[P, R_co]) -> None:
        self.name = name
        self.version = version
        self.function = function
        functools.update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:  # noqa: D102 (it has the function's docstring)
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        for spec in self.params:
            spec.check(bound.arguments.get(spec.name))
        return self.function(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return find, (self.name,)

    @property
    def group(self) -> str:
        """The command group: the part of the name before the dot."""
        return self.name.partition(".")[0]

    @property
    def command(self) -> str:
        """The word of the command line: the part of the name after the dot."""
        return self.name.partition(".")[2].replace("_", "-")

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]

    @functools.cached_property
    def params(self) -> tuple[ParamSpecOf, ...]:
        """The parameters that a user gives, in order; `run` is not one of them."""
        hints = typing.get_type_hints(self.function, include_extras=True)
        signature = inspect.signature(self.function)
        return tuple(_spec(p, hints[p.name]) for p in signature.parameters.values() if p.name != "run")

    @functools.cached_property
    def takes_run(self) -> bool:
        """Whether the function wants a Run: it spreads work over processes or shows progress."""
        return "run" in inspect.signature(self.function).parameters


def _spec(parameter: inspect.Parameter, hint: Any) -> ParamSpecOf:
    param = Param("")
    if typing.get_origin(hint) is typing.Annotated:
        hint, *extra = typing.get_args(hint)
        # the innermost description comes first, one written at the parameter itself wins
        param = next(e for e in reversed(extra) if isinstance(e, Param))
    optional = many = False
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        kept = [a for a in typing.get_args(hint) if a is not type(None)]
        optional = len(kept) < len(typing.get_args(hint))
        (hint,) = kept
        if typing.get_origin(hint) is typing.Annotated:
            hint, *extra = typing.get_args(hint)
            param = param if param.help else next(e for e in extra if isinstance(e, Param))
    if typing.get_origin(hint) is tuple:
        many = True
        hint = typing.get_args(hint)[0]
    choices: tuple[str, ...] = ()
    if typing.get_origin(hint) is Literal:
        choices = typing.get_args(hint)
        hint = str
    hint = getattr(hint, "__supertype__", hint)  # Dataset is a Path
    if hint not in (bool, int, float, str, Path):
        raise TypeError(f"{parameter.name}: {hint!r} is not a type that a command line and YAML can give")
    required = parameter.default is inspect.Parameter.empty
    return ParamSpecOf(
        name=parameter.name,
        type=hint,
        param=param,
        default=None if required else parameter.default,
        required=required,
        optional=optional,
        many=many,
        positional=parameter.kind is not inspect.Parameter.KEYWORD_ONLY,
        choices=choices,
    )


def op(name: str, version: int) -> Callable[[Callable[P, R_co]], Op[P, R_co]]:
    """Register a function as the operation `group.command`. Another one of the same name is an error."""

    def register(function: Callable[P, R_co]) -> Op[P, R_co]:
        earlier = _registry.get(name)
        if earlier and _home(earlier.function) != _home(function):  # a module that is run again brings the same one
            raise ValueError(f"operation {name!r} is defined twice")
        made = Op(name, version, function)
        _registry[name] = made
        return made

    return register


def _home(function: Callable[..., Any]) -> tuple[str, str]:
    return function.__module__, function.__qualname__


def find(name: str) -> Op[..., Any]:
    """Return the operation of that name; import its module first, and no other.

    Raises UsageError with the nearest name where there is none.
    """
    if name not in _registry and name in names():
        importlib.import_module(f"datatools.ops.{name}")
    if name in _registry:
        return _registry[name]
    import difflib

    near = difflib.get_close_matches(name, names(), n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(names())}"
    raise UsageError(f"there is no operation {name!r}{hint}")


def names(group: str = "") -> tuple[str, ...]:
    """The names of all operations, or of one group's, in the order in which they are shown. Imports none of them."""
    groups = (group,) if group else tuple(GROUPS)
    packages = ((g, importlib.import_module(f"datatools.ops.{g}")) for g in groups)
    return tuple(f"{g}.{command}" for g, package in packages for command in package.OPERATIONS)


class Group:
    """The operations of a group as attributes: `datatools.voc.lint`. Each is imported when it is first touched."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, command: str) -> Op[..., Any]:
        if f"{self._name}.{command}" not in names(self._name):
            raise AttributeError(f"datatools.{self._name} has no operation {command!r}")
        return find(f"{self._name}.{command}")

    def __dir__(self) -> list[str]:
        return [name.partition(".")[2] for name in names(self._name)]
