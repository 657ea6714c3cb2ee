"""The command `datatools`. What can be answered without the parser is, as that costs most of the start."""

import contextlib
import gc
import os
import signal
import sys
from types import FrameType

EXIT_STORAGE = 4
"""As in core/errors.py, which nothing here waits for."""


class Terminated(BaseException):
    """SIGTERM came. Like KeyboardInterrupt, nothing that only handles errors may catch it."""


def _interrupt(signum: int, frame: FrameType | None) -> None:
    """End in good order: what is done is kept. The next signal does not wait for that."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    raise Terminated if signum == signal.SIGTERM else KeyboardInterrupt


def _end(signum: int, frame: FrameType | None) -> None:
    os._exit(128 + signum)


def _not_raised(lost: "sys.UnraisableHookArgs") -> None:
    """Raise an interrupt once more that came where Python drops every exception, as while it clears an object away."""
    if lost.exc_type not in (KeyboardInterrupt, Terminated):
        sys.__unraisablehook__(lost)
        return
    number = signal.SIGTERM if lost.exc_type is Terminated else signal.SIGINT
    signal.signal(signal.SIGALRM, lambda _, frame: _interrupt(number, frame))
    signal.setitimer(signal.ITIMER_REAL, 0.01)  # by then it is somewhere else


def command() -> None:
    """What the installed command runs: `main`, and out. Taking the interpreter down would cost a tenth of a run that
    finds nothing to do, and every file was closed by whoever wrote it."""
    try:
        main()
    except SystemExit as end:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 0)


def main() -> None:
    """Run the command line and leave with its exit code."""
    gc.set_threshold(50_000, 20, 50)  # columns and records hold no cycles: looking for them costs a fifth of the time
    for number in (signal.SIGINT, signal.SIGTERM):  # before the imports: a signal may come while they load
        signal.signal(number, _interrupt)
    sys.unraisablehook = _not_raised
    words = sys.argv[1:]
    try:
        if words in ([], ["--help"], ["-h"]):
            from datatools.cli.overview import overview

            print(overview())
            code = 0
        elif len(words) > 2 and words[-1] in ("--help", "-h") and (page := _command_page(words[:-1])):
            print(page)
            code = 0
        elif words == ["--version"]:
            from datatools import __version__

            print(f"datatools {__version__}")
            code = 0
        else:
            from datatools.cli.app import main as run

            code = run(words)
    except KeyboardInterrupt:
        code = 130
    except Terminated:
        code = 143
    except BrokenPipeError:  # the reader of our output left, as `| head` does
        sys.stdout = None
        code = 0
    except OSError as error:
        code = _unheard(error)
    for number in (signal.SIGINT, signal.SIGTERM):  # nobody is left who would take an exception
        signal.signal(number, _end)
    sys.exit(_brought_home(code))


def _brought_home(code: int) -> int:
    """The exit code, once all that was printed has reached its reader."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        sys.stdout = None
    except OSError as error:
        return _unheard(error, told=code == EXIT_STORAGE)
    return code


def _unheard(error: OSError, *, told: bool = False) -> int:
    """Say that what was printed went nowhere, and give up on it."""
    sys.stdout = None
    if not told:
        with contextlib.suppress(OSError):
            print(f"datatools: cannot write the answer: {error.strerror or error}", file=sys.stderr)
    return EXIT_STORAGE


def _command_page(words: list[str]) -> str:
    """The help page of an operation's command; nothing where there is none, which the parser then says."""
    from datatools.cli.help import help_page
    from datatools.core import op
    from datatools.core.groups import GROUPS

    name = ".".join(words).replace("-", "_")
    return help_page(op.find(name)) if words[0] in GROUPS and name in op.names(words[0]) else ""


if __name__ == "__main__":
    main()
