"""Findings for other programs: SARIF 2.1.0 for code hosts and editors, JUnit XML for build servers."""

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote
from xml.sax import saxutils

from datatools.core.errors import escape
from datatools.core.findings import Catalogue, Code, Finding

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT_ID = "DATASET"


def sarif(findings: Sequence[Finding], codes: Catalogue, version: str) -> str:
    """A SARIF 2.1.0 log (OASIS) with one run; paths are relative to the folder that was linted."""
    used = [code for code in codes.values() if any(f.code == code.name for f in findings)]
    index = {code.name: i for i, code in enumerate(used)}
    name = f"datatools {codes.command}"
    run = {
        "tool": {"driver": {"name": name, "version": version, "rules": [_rule(code) for code in used]}},
        "originalUriBaseIds": {ROOT_ID: {"description": {"text": "the folder of the data set"}}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(f, index[f.code]) for f in findings],
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1)


def _rule(code: Code) -> dict[str, Any]:
    return {
        "id": code.name,
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": code.why},
        "help": {"text": code.remedy},
        "defaultConfiguration": {"level": code.severity},
    }


def _result(one: Finding, index: int) -> dict[str, Any]:
    uri = quote(os.fsencode(one.file))
    return {
        "ruleId": one.code,
        "ruleIndex": index,
        "level": one.severity,
        "message": {"text": f"{escape(one.message)} ({one.remedy})"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri, "uriBaseId": ROOT_ID},
                    "region": {"startLine": one.line},
                }
            }
        ],
    }


def junit(findings: Sequence[Finding], codes: Catalogue, files: int) -> Iterator[str]:
    """The lines of a JUnit XML: a test case a finding, failed by an error, passed with its text by a warning.

    Where nothing was found there is one passed case, since build servers take an empty suite for a mistake.
    """
    errors = sum(f.severity == "error" for f in findings)
    counts = f'name="datatools {codes.command}" tests="{max(len(findings), 1)}" failures="{errors}" errors="0"'
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f"<testsuites {counts}>"
    yield f"<testsuite {counts}>"
    if not findings:
        yield f'<testcase classname="{codes.command.replace(" ", ".")}" name="nothing found in {files} files"/>'
    for one in findings:
        name = saxutils.quoteattr(f"{escape(one.file)}:{one.line}: {escape(one.message)}")
        text = f"{escape(one.message)} ({one.remedy})"
        yield f"<testcase classname={saxutils.quoteattr(one.code)} name={name}>"
        if one.severity == "error":
            yield f"<failure type={saxutils.quoteattr(one.code)} message={saxutils.quoteattr(text)}/>"
        else:
            yield f"<system-out>{saxutils.escape(text)}</system-out>"
        yield "</testcase>"
    yield "</testsuite>"
    yield "</testsuites>"
