"""An operation is one typed function. Everything else is read off its signature.

    @op("voc.lint", version=1)
    def lint(src: Dataset, *, deep: Annotated[bool, Param("decode every image")] = False, run: Run = SERIAL) -> Lint:
        '''Name every problem of a Pascal VOC set.'''

The Python API is the function itself; the command line, the stages of a pipeline, their JSON Schema and the docs come
from `Op.params`. Parameters before the `*` are positional words of the command; a parameter called `run` is handed in.

    @op("haze.remove", version=1)
    def remove(image: Image, *, patch: Annotated[int, Param("side of the window, px", ge=1)] = 15) -> Image:

A first parameter that is a value (core/values.py) makes an operation on items: the command takes SRC and OUT in its
place, and the options of `ItemOptions` on top. Parameters of the types Rng, Donors and Source are handed in.
"""

import functools
import importlib
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, ParamSpec, TypeVar

from datatools.core.errors import UsageError
from datatools.core.groups import GROUPS
from datatools.core.values import Donors, Rng, Source, Value

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)

Preview = Callable[[Any], Iterable[str]]
Prepare = Callable[[Path, Iterator[Source], Mapping[str, Any]], Any]

_registry: dict[str, "Op[..., Any]"] = {}


@dataclass(frozen=True, slots=True)
class Param:
    """What a signature cannot say about a parameter in its type: help, bounds, flags.

    flags: further or other spellings on the command line; given one that starts with `--`, it replaces the name's.
    writes: the parameter names something that the operation makes: a file, a folder, or files inside a folder that may
    be there already.
    steers: the parameter says how the work is done, and does not decide the result.
    instead: `module:function` that makes a Result which the command shows instead of working, where the flag is given.
    """

    help: str
    flags: tuple[str, ...] = ()
    metavar: str = ""
    ge: float | None = None
    le: float | None = None
    gt: float | None = None
    lt: float | None = None
    writes: Literal["", "file", "folder", "files"] = ""
    steers: bool = False
    instead: str = ""

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

    def __init__(
        self,
        name: str,
        version: int,
        function: Callable[P, R_co],
        *,
        prepare: Prepare | None = None,
        generates: bool = False,
        preview: Preview | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.prepare = prepare
        self.generates = generates
        self.preview = preview
        self.function = function
        functools.update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:  # noqa: D102 (it has the function's docstring)
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        for spec in self.own:
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
        """The words of the command line: the parts of the name after the first dot."""
        return self.name.partition(".")[2].replace("_", "-").replace(".", " ")

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]

    @functools.cached_property
    def params(self) -> tuple[ParamSpecOf, ...]:
        """The parameters that a user gives, in order; what is handed in is not one of them.

        Those of an operation on items: SRC and OUT, its own, and how the items are run.
        """
        if not self.items:
            return self.own
        hints = typing.get_type_hints(ItemOptions, include_extras=True)
        signature = inspect.signature(ItemOptions).parameters.values()
        places: list[ParamSpecOf] = []
        rest: list[ParamSpecOf] = []
        for parameter in signature:
            spec = _spec(parameter, hints[parameter.name])
            (places if spec.positional else rest).append(spec)
        unused = {
            *(() if self.rng_parameter else ("seed",)),
            *(() if self.generates else ("copies", "keep_originals")),
            *(() if len(self.items) > 1 else ("format",)),
        }
        return (*places, *self.own, *(spec for spec in rest if spec.name not in unused))

    @functools.cached_property
    def own(self) -> tuple[ParamSpecOf, ...]:
        """The parameters of the function itself, without those that are handed in."""
        signature = inspect.signature(self.function).parameters
        handed = {"run", self.rng_parameter, self.donors_parameter, self.source_parameter, self.prepared_parameter}
        handed |= {next(iter(signature))} if self.items else set()
        return tuple(_spec(p, self._hints[p.name]) for p in signature.values() if p.name not in handed)

    @functools.cached_property
    def items(self) -> tuple[type[Value], ...]:
        """The types of value that the operation takes one at a time; none where it takes a whole set."""
        first = next(iter(inspect.signature(self.function).parameters), "")
        return _values(self._hints.get(first))

    @functools.cached_property
    def makes(self) -> tuple[type[Value], ...]:
        """The types of value that an operation on items returns."""
        return _values(self._hints.get("return"))

    @functools.cached_property
    def takes_run(self) -> bool:
        """Whether its work may be spread: the function wants a Run, or is run once an item."""
        return bool(self.items) or "run" in inspect.signature(self.function).parameters

    @functools.cached_property
    def rng_parameter(self) -> str:
        """The parameter that is handed a generator of random numbers; empty where there is none."""
        return self._handed(Rng)

    @functools.cached_property
    def donors_parameter(self) -> str:
        """The parameter that is handed the other items of the set; empty where there is none."""
        return self._handed(Donors)

    @functools.cached_property
    def source_parameter(self) -> str:
        """The parameter that is handed the item's Source; empty where there is none."""
        return self._handed(Source)

    @functools.cached_property
    def prepared_parameter(self) -> str:
        """The parameter that is handed what `prepare` made of the whole set; empty where there is none."""
        return "prepared" if self.prepare else ""

    def _handed(self, kind: Any) -> str:
        return next((name for name, hint in self._hints.items() if hint is kind and name != "return"), "")

    @functools.cached_property
    def _hints(self) -> dict[str, Any]:
        return typing.get_type_hints(self.function, include_extras=True)


@dataclass(frozen=True)
class ItemOptions:
    """How an operation runs over the items of a set: the words that its command has beside its own parameters."""

    src: Annotated[Path, Param("file or folder to read", metavar="SRC")]
    out: Annotated[Path, Param("what is made; it appears whole or not at all", metavar="OUT", writes="folder")]
    _: KW_ONLY
    seed: Annotated[int, Param("the same seed gives the same bytes", ge=0, le=2**32 - 1)] = 0
    copies: Annotated[int, Param("results for every item, each drawn anew", ge=1, le=10_000)] = 1
    keep_originals: Annotated[bool, Param("put the unchanged items into OUT as well")] = False
    format: Annotated[str, Param("kind of set that SRC is; found by itself where it is left out", metavar="KIND")] = ""
    dry_run: Annotated[bool, Param("say what would be done and why; do nothing", steers=True)] = False
    force: Annotated[bool, Param("do all items again, and replace what somebody changed in OUT", steers=True)] = False
    retry_failed: Annotated[bool, Param("try the items again that failed before", steers=True)] = False
    on_error: Annotated[
        Literal["skip", "stop"], Param("skip: list a bad item and go on; stop: end at the first", steers=True)
    ] = "skip"
    max_failures: Annotated[
        float, Param("share of the items that may fail before the rest is given up", ge=0, le=1, steers=True)
    ] = 1.0
    item_timeout: Annotated[
        float, Param("seconds that one item may take; 0 is no limit", ge=0, le=864_000, metavar="S", steers=True)
    ] = 0.0


def _values(hint: Any) -> tuple[type[Value], ...]:
    members = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    return tuple(m for m in members if isinstance(m, type) and issubclass(m, Value))


def _spec(parameter: inspect.Parameter, hint: Any) -> ParamSpecOf:
    param = Param("")
    if typing.get_origin(hint) is typing.Annotated:
        hint, *extra = typing.get_args(hint)
        # the innermost description comes first, one written at the parameter itself wins
        param = next((e for e in reversed(extra) if isinstance(e, Param)), param)
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
        if typing.get_origin(hint) is typing.Annotated:  # what each of the files is: datatools.core.kinds
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


def op(
    name: str,
    version: int,
    *,
    prepare: Prepare | None = None,
    generates: bool = False,
    preview: Preview | None = None,
) -> Callable[[Callable[P, R_co]], Op[P, R_co]]:
    """Register a function as the operation `group.command`. Another one of the same name is an error.

    prepare: for an operation on items that needs to know something of the whole set first: called once with the set's
    root, its sources and the parameters; what it returns (plain data) is handed to the function as `prepared` and is
    part of every item's key. generates: the operation makes new items of an old one, several where `--copies` asks.
    preview: the lines that a dry run shows of what the operation returns for an item.
    """

    def register(function: Callable[P, R_co]) -> Op[P, R_co]:
        earlier = _registry.get(name)
        if earlier and _home(earlier.function) != _home(function):  # a module that is run again brings the same one
            raise ValueError(f"operation {name!r} is defined twice")
        made = Op(name, version, function, prepare=prepare, generates=generates, preview=preview)
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
    """The names of all operations, or of those of one group (`voc`, `augment.tia`), in the order in which they are
    shown. Imports none of them."""
    first = group.partition(".")[0]
    groups = (first,) if first else tuple(GROUPS)
    packages = ((g, importlib.import_module(f"datatools.ops.{g}")) for g in groups)
    found = (f"{g}.{command}" for g, package in packages for command in package.OPERATIONS)
    return tuple(name for name in found if not group or name.startswith(f"{group}."))


def words(group: str) -> list[str]:
    """What may follow the name of a group: its operations, and the groups inside it."""
    return list(dict.fromkeys(name[len(group) + 1 :].partition(".")[0] for name in names(group)))


class Group:
    """The operations of a group as attributes: `datatools.voc.lint`, `datatools.zoo.compress.prune`.

    Each is imported when it is first touched.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, command: str) -> "Op[..., Any] | Group":
        name = f"{self._name}.{command}"
        if name in names(self._name):
            return find(name)
        if names(name):
            return Group(name)
        raise AttributeError(f"datatools.{self._name} has no operation {command!r}")

    def __dir__(self) -> list[str]:
        return words(self._name)
