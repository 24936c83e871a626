"""What keeps the tree readable: sizes, names and places that a reader can rely on."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = sorted((ROOT / "pipeline").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
BENCH = sorted((ROOT / "bench").rglob("*.py"))
MODELS = sorted((ROOT / "sql").glob("[0-9]*/*.sql"))

MOST_LINES = 400
MOST_FUNCTION_LINES = 60
MOST_PARAMETERS = 6
MOST_SQL_LINES = 5

#: A string that begins like this is a statement. A sentence that begins with "Select" has other words after it.
STATEMENT = re.compile(
    r"\s*(?:--[^\n]*\n\s*)*(?:select\s|insert\s+into\s|update\s+[\w.]+\s+set\s|delete\s+from\s|"
    r"create\s+(?:or\s+replace\s+)?(?:temp\w*\s+)?(?:table|view|macro)\s|with\s+\w+\s+as\s|copy\s+\(|merge\s+into\s)"
)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def lines(node: ast.expr | ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return len([argument for argument in given if argument.arg not in {"self", "cls"}])


def statements(path: Path) -> Iterator[ast.expr]:
    """Yield the strings of a module that are SQL: plain, formatted, or joined from several lines."""
    inside: set[ast.AST] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            inside |= set(node.values)
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in inside:
            text = node.value
        else:
            continue
        if STATEMENT.match(text):
            yield node


def test_a_module_has_at_most_400_lines():
    sizes = {name(path): len(path.read_text().splitlines()) for path in [*PIPELINE, *TESTS, *BENCH]}
    assert {path: size for path, size in sizes.items() if size > MOST_LINES} == {}


def test_a_function_has_at_most_60_lines():
    assert [
        f"{name(path)}: {function.name} has {lines(function)}"
        for path in PIPELINE
        for function in functions(path)
        if lines(function) > MOST_FUNCTION_LINES
    ] == []


def test_a_function_has_at_most_six_parameters():
    """The options of a command are its parameters, so that the command line is not counted."""
    assert [
        f"{name(path)}: {function.name} has {parameters(function)}"
        for path in PIPELINE
        if path.parent.name != "cli"
        for function in functions(path)
        if parameters(function) > MOST_PARAMETERS
    ] == []


def test_a_class_name_stands_for_one_class():
    places = defaultdict(list)
    for path in PIPELINE:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(name(path))
    assert {each: found for each, found in places.items() if len(found) > 1} == {}


#: Modules that put statements together from names and lists; each is named in DECISIONS.md.
GENERATORS = frozenset(
    {"pipeline/warehouse/register.py", "pipeline/warehouse/checks.py", "pipeline/warehouse/completeness.py"}
)


def test_a_python_module_holds_only_short_statements():
    assert [
        f"{name(path)}:{node.lineno} has a statement of {lines(node)} lines"
        for path in PIPELINE
        if name(path) not in GENERATORS
        for node in statements(path)
        if lines(node) > MOST_SQL_LINES
    ] == []


@pytest.mark.parametrize("path", [path for path in PIPELINE if path.parent.name == "cli"], ids=name)
def test_the_command_line_holds_no_statement(path):
    assert [f"line {node.lineno}" for node in statements(path)] == []


def test_a_model_leaves_the_order_to_its_readers():
    """A built table has no order; an ``order by`` at the end of its statement would only cost a sort."""
    ordered = []
    for path in MODELS:
        text = path.read_text()
        statement = text[text.index("*/") + 2 :].split("/* example")[0].rstrip()
        last = re.split(r"\n(?=select\b)", statement)[-1]
        if re.search(r"^order by", last, re.MULTILINE):
            ordered.append(name(path))
    assert ordered == []
