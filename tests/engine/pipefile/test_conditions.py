"""Conditions: their values, and that nothing else is ever taken."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datatools.engine.pipefile.conditions import MAX_DEPTH, ConditionError, explain, holds

VALUES = {"split": True, "quick": False, "k": 9, "share": 0.5, "format": "yolo", "empty": "", "matrix.k": 5}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${split}", True),
        ("not ${split}", False),
        ("not not ${split}", True),
        ("${split} == true", True),
        ("${split} != true", False),
        ("${split} == ${quick}", False),
        ("${k} == 9", True),
        ("${k} == 9.0", True),
        ("${share} == 0.5", True),
        ("${k} in [5, 9]", True),
        ("${k} not in [5, 9]", False),
        ("-1 in [${k}]", False),
        ("${format} == 'yolo'", True),
        ('${format} == "yolo"', True),
        ("${format} in ['coco', 'voc']", False),
        ("${empty} != ''", False),
        ("${matrix.k} == 5", True),
        ("true or ${split} and ${quick}", True),  # and binds closer
        ("(true or ${split}) and ${quick}", False),
        ("not ${quick} and ${split}", True),  # not binds closest
        ("  ${split}\tand\n${split} ", True),
        ("'and' == 'and'", True),
    ],
)
def test_values(text: str, result: bool) -> None:
    assert holds(text, VALUES) is result


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${splt}", "there is no variable 'splt'; did you mean split?"),
        ("split", "split: did you mean ${split}?"),
        ("${format} == yolo", "yolo: did you mean 'yolo'?"),
        ("${format} = 'yolo'", "cannot be read from here: = 'yolo'; did you mean ==?"),
        ("${split} && ${quick}", "did you mean and?"),
        ("${k} > 5", "cannot be read from here: > 5"),
        ("${k}", "9 is neither true nor false"),
        ("${format} and true", "'yolo' is neither true nor false"),
        ("${format} == true", "compares a text with a truth: 'yolo', true"),
        ("${k} == '9'", "compares a number with a text: 9, '9'"),
        ("${k} in [5, 'a']", "compares a number with a text"),
        ("${k} == 9 9", "`and`, `or` or the end is missing before 9"),
        ("${k} ==", "a value is missing before the end"),
        ("(${split}", "`)` is missing before the end"),
        ("${k} in 9", "`[` is missing before 9"),
        ("${k} in []", "a value is missing before ]"),
        ("${split} not == true", "`in` is missing before =="),
        ("", "a value is missing"),
        ("__import__('os')", "__import__: did you mean '__import__'?"),
        ("1_0 == 10", "cannot be read from here: 1_0 == 10"),
        ("'a", "cannot be read from here"),
        ("not " * (MAX_DEPTH + 1) + "true", "nested deeper"),
        ("(" * 30 + "true" + ")" * 30, "nested deeper"),
        ("true or " * 100 + "true", "at most 500 characters"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, words: str) -> None:
    with pytest.raises(ConditionError) as caught:
        holds(text, VALUES)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


@given(st.text(alphabet="${}splitk '\"=!()[],andornt19.-\n\\x", max_size=60) | st.text(max_size=30))
def test_any_text_is_a_truth_or_is_refused(text: str) -> None:
    try:
        assert holds(text, VALUES) in (True, False)
    except ConditionError as error:
        assert str(error).isprintable()


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    kind = draw(st.sampled_from(["a", "b", "equal", "not", "and", "or", "in"] if depth else ["a", "b"]))
    if kind in ("a", "b"):
        return kind
    if kind == "not":
        return f"not ({draw(expressions(depth - 1))})"
    if kind == "equal":
        return f"{draw(st.integers(0, 3))} {draw(st.sampled_from(['==', '!=']))} {draw(st.integers(0, 3))}"
    if kind == "in":
        return f"{draw(st.integers(0, 3))} {draw(st.sampled_from(['in', 'not in']))} [1, 2]"
    return f"{draw(expressions(depth - 1))} {kind} {draw(expressions(depth - 1))}"


@given(expressions(), st.booleans(), st.booleans())
def test_the_same_as_python(text: str, a: bool, b: bool) -> None:
    """What Python says of the same words, its values put in as words, too."""
    words = text.replace("and", "&").replace("a", str(a)).replace("b", str(b)).replace("&", "and")
    expected = eval(compile(ast.parse(words, mode="eval"), "", "eval"))
    assert (
        holds(text.replace("and", "&").replace("a", "${a}").replace("b", "${b}").replace("&", "and"), {"a": a, "b": b})
        is expected
    )


def test_a_reader_sees_the_values() -> None:
    assert (
        explain("${split} == true and ${split}", {"split": False}) == "${split} == true and ${split} (split is false)"
    )
    assert explain("false", {}) == "false"
