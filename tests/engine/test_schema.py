"""The JSON Schema of pipeline files: valid itself, and of one mind with the loader."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datatools.core import op
from datatools.core.errors import UsageError
from datatools.engine import pipeline, schema
from datatools.io import config

ROOT = Path(__file__).resolve().parents[2]
VALIDATOR = jsonschema.Draft202012Validator(schema.pipeline_schema())

WHOLE = """version: 1
seed: 7
vars: {root: raw, n: 5, quick: false, to: yolo}
stages:
  - {id: prep, include: clean.yaml, with: {root: "${root}"}, when: "not ${quick}", matrix: {x: [1, 2]}}
  - id: fixed
    uses: voc.fix
    in: ${root}
    out: w/fixed
    with: {rule: size, keep-float-boxes: "${quick}"}
  - {id: anchors, uses: anchors.kmeans, in: fixed, matrix: {k: ["${n}", 9]}, out: "w/${matrix.k}",
     with: {k: "${matrix.k}", size: 416}}
  - {id: sets, uses: voc.convert, in: fixed, out: w/sets, with: {to: "${to}", link: copy}}
  - {id: small, uses: voc.filter, in: fixed, out: "w/small", with: {keep: [car, "${to}-x"], min_area: 1.5}, when: true}
  - {id: both, uses: voc.merge, in: [fixed, small], out: w/both, with: {}}
"""


def problems(text: str) -> list[str]:
    document = config.load_yaml(text.encode(), "p.yaml")
    return ["/".join(map(str, e.absolute_path)) for e in VALIDATOR.iter_errors(document)]


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.pipeline_schema())


@pytest.mark.parametrize("file", sorted((ROOT / "pipelines").glob("*.yaml")), ids=lambda p: p.name)
def test_the_ready_pipelines_are_valid(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert problems(file.read_text(encoding="utf-8")) == []
    pipeline.load(file.relative_to(ROOT))


def test_the_schema_knows_every_parameter_and_lets_variables_stand_for_values() -> None:
    made = schema.pipeline_schema()
    kmeans = made["$defs"]["anchors.kmeans"]["properties"]
    number, variable = kmeans["k"]["anyOf"]
    assert (number["minimum"], number["type"], kmeans["k"]["default"]) == (1, "integer", 9)
    assert re.fullmatch(variable["pattern"], "${anchors}")
    convert = made["$defs"]["voc.convert"]
    assert convert["required"] == ["to"]
    assert convert["properties"]["from"] == convert["properties"]["source_format"]  # as the option is spelled
    assert set(made["$defs"]["stage"]["properties"]["uses"]["enum"]) == set(op.names())


def test_every_key_in_one_file() -> None:
    assert problems(WHOLE) == []


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("version: 1", "version: 2", "version"),
        ("seed: 7", "seed: -1", "seed"),
        ("n: 5", "n: [5]", "vars/n"),
        ("quick: false", "qu-ick: false", "vars"),
        ("include: clean.yaml,", "include: clean.yaml, in: raw,", "stages/0"),
        ("include: clean.yaml", "include: ''", "stages/0/include"),
        ('when: "not ${quick}"', "when: 3", "stages/0/when"),
        ("matrix: {x: [1, 2]}", "matrix: {x: 1}", "stages/0/matrix/x"),
        ("matrix: {x: [1, 2]}", "matrix: {x: []}", "stages/0/matrix/x"),
        ("matrix: {x: [1, 2]}", "matrix: {x: [1, 1]}", "stages/0/matrix/x"),
        ("uses: voc.fix", "uses: voc.fx", "stages/1/uses"),
        ("id: fixed", "id: 1", "stages/1/id"),
        ("rule: size", "rules: size", "stages/1/with"),
        ("rule: size", "rule: 3.5e5", ""),
        ('k: "${matrix.k}"', 'k: "a${matrix.k}"', "stages/2/with/k"),
        ('k: "${matrix.k}"', "k: 0", "stages/2/with/k"),
        ('to: "${to}"', "to: yola", "stages/3/with/to"),
        (', with: {to: "${to}", link: copy}', "", "stages/3"),
        ('to: "${to}", ', "", "stages/3/with"),
        ("out: w/sets, ", "", "stages/3"),
        ("in: [fixed, small]", "in: []", "stages/5/in"),
    ],
)
def test_what_is_wrong_is_found(old: str, new: str, path: str) -> None:
    assert old in WHOLE
    assert problems(WHOLE.replace(old, new, 1)) == ([path] if path else [])


WORDS = [
    "${n}",
    "${",
    "}",
    "[",
    "]",
    "{",
    ": ",
    "matrix",
    "when: ",
    "null",
    "true",
    '"',
    "'",
    "- ",
    "\n",
    ", ",
    "9",
    "id",
    "out",
    "''",
]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("raw").mkdir()
    Path("clean.yaml").write_text('version: 1\nvars: {root: x}\nstages: [{id: z, uses: voc.lint, in: "${root}"}]\n')
    return tmp_path


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_what_the_loader_takes_the_schema_takes(place: Path, data: Any) -> None:
    """And whatever the file holds, the loader takes it or names its problems, each in one line."""
    text = WHOLE
    for _ in range(data.draw(st.integers(0, 2))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.sampled_from([0, 0, 0, 1, 5]))
        text = text[:start] + data.draw(st.sampled_from(["", *WORDS])) + text[end:]
    Path("p.yaml").write_text(text)
    try:
        pipeline.load(Path("p.yaml"))
    except UsageError as error:
        assert all(line.isprintable() and line for line in str(error).split("\n"))
    else:
        assert problems(text) == []
