"""What a lint command finds: its codes, one problem at one place, how it is sorted and left out."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from datatools.core.errors import UsageError, escape
from datatools.core.result import Table

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of problem.

    name: stable, E- for errors and W- for warnings. title: a few words. why: what goes wrong with it, in sentences.
    rule: the rule of `datatools voc fix` that mends it, empty where a person has to. by_hand: what that person does.
    """

    name: str
    title: str
    why: str
    rule: str = ""
    by_hand: str = ""

    @property
    def severity(self) -> Severity:
        """An error makes the command exit with 1, a warning does not."""
        return "error" if self.name.startswith("E-") else "warning"

    @property
    def remedy(self) -> str:
        """What to do, in a few words."""
        return f"datatools voc fix --rule {self.rule}" if self.rule else self.by_hand


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem. file: relative to the set. line: 1-based; 1 where the whole file is meant."""

    file: str
    line: int
    code: str
    severity: Severity
    message: str
    remedy: str

    def __str__(self) -> str:
        place = f"{escape(self.file)}:{self.line}"
        return f"{place}: {self.code} {self.severity} {escape(self.message)} ({self.remedy})"

    @property
    def fingerprint(self) -> tuple[str, str, str]:
        """What stays the same when lines are added above: file, code and message, as JSON has them."""
        return escape(self.file), self.code, escape(self.message)


class Catalogue(dict[str, Code]):
    """The codes of a lint command by their names, in the order of the documentation; they never change their meaning.

    command: the command's words, such as `voc lint`. source: the file of the codes, for the page of documentation.
    """

    def __init__(self, command: str, source: str, codes: Iterable[Code]) -> None:
        super().__init__((code.name, code) for code in codes)
        self.command = command
        self.source = source

    def finding(self, code: str, file: str, line: int, message: str, remedy: str = "") -> Finding:
        """Make a finding; severity and, unless told otherwise, remedy are the code's."""
        known = self[code]
        return Finding(file, max(line, 1), code, known.severity, message, remedy or known.remedy)

    def parse(self, words: Iterable[str]) -> frozenset[str]:
        """Read code names as users type them: several words, commas inside, any case.

        Raises UsageError for a name that is no code, with the nearest one.
        """
        import difflib

        found = set()
        for name in (part.strip().upper() for word in words for part in word.split(",")):
            if name in self:
                found.add(name)
            elif name:
                near = difflib.get_close_matches(name, self, n=1, cutoff=0.4)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise UsageError(f"there is no lint code {name!r}{hint}")
        return frozenset(found)

    def table(self, findings: Iterable[Finding]) -> Table:
        """Count the findings by code, in the order of the documentation."""
        found = tuple(findings)
        count = Counter(f.code for f in found)
        where = Counter(code for code, _ in {(f.code, f.file) for f in found})
        rows = ((c.name, c.severity, count[c.name], where[c.name], c.title) for c in self.values() if count[c.name])
        return Table(("code", "severity", "found", "files", "what"), tuple(rows))

    def markdown(self) -> str:
        """Write the page of the documentation that lists the codes."""
        lines = [
            f"# The codes of `datatools {self.command}`",
            "",
            f"This page is made from `{self.source}`. Errors (`E-`) make the command exit with 1, warnings",
            "(`W-`) alone with 0. `--ignore CODE` leaves a code out, `--baseline FILE` leaves out what an earlier run "
            "with\n`--format json` found. A problem of a whole file stands at its line 1.",
            "",
            "| code | what | remedy |",
            "|---|---|---|",
            *(f"| [`{c.name}`](#{c.name.lower()}) | {_cell(c.title)} | {_remedy(c)} |" for c in self.values()),
        ]
        for code in self.values():
            title = code.title[0].upper() + code.title[1:]
            lines += ["", f"## {code.name}", "", f"{_cell(title)}. {_cell(code.why)}", "", f"Remedy: {_remedy(code)}."]
        return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("<", "&lt;")


def _remedy(code: Code) -> str:
    return f"`{code.remedy}`" if code.remedy.startswith("datatools ") else _cell(code.remedy)


def order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort by file (its bytes), line and code."""
    return tuple(sorted(found, key=lambda f: (os.fsencode(f.file), f.line, f.code, f.message)))


def beyond(found: Iterable[Finding], baseline: Counter[tuple[str, str, str]]) -> list[Finding]:
    """The findings that are not in the baseline. One that stands there once hides one, not all of its kind."""
    left = baseline.copy()
    new = []
    for one in found:
        if left[one.fingerprint] > 0:
            left[one.fingerprint] -= 1
        else:
            new.append(one)
    return new
