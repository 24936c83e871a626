"""What the pages tell a reader: each command exists, each query runs, each table and gate check is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline import resources
from tests.cli.conftest import Place
from tests.cli.test_help import ALL

ROOT = Path(__file__).parents[2]
#: The pages that people write. The reference and the catalog are made from the code.
PAGES = sorted(
    {*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "deploy").rglob("*.md"), ROOT / "sql" / "README.md"}
    - {ROOT / "docs" / "catalog.md", ROOT / "CHANGELOG.md", ROOT / "THIRD_PARTY.md"}
)
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
COMMANDS = {context.command_path: context for context in ALL}
#: Endings of files, whose names may look like a table.
FILES = (".csv", ".graphml", ".json", ".md", ".sql", ".sqlite")
OPERATORS = ("|", ">", ">>", "<", "&", "&&", "||", ";")


def typed(page: Path) -> Iterator[list[str]]:
    """Yield the words of every command of the program that a page shows, in a block or in a line."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, flags=re.MULTILINE | re.DOTALL)
    shell = [block.replace("\\\n", " ") for language, block in blocks if language in {"", "sh", "bash", "console"}]
    prose = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in shell for line in block.splitlines()]
    lines += [" ".join(code.split()) for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", prose)]
    for line in lines:
        if line.startswith("access-review "):
            words = shlex.split(line, comments=True)[1:]
            yield words[: next((place for place, word in enumerate(words) if word in OPERATORS), len(words))]


def mistake(words: list[str]) -> str | None:
    """Return the first word that the program does not know, or None."""
    context, rest = COMMANDS["access-review"], iter(words)
    for word in rest:
        name, _, value = word.partition("=")
        below = COMMANDS.get(f"{context.command_path} {word}")
        if below is not None:
            context = below
        elif word.startswith("-") and len(word) > 1:
            option: Any = next((param for param in context.command.params if name in param.opts), None)
            if name in {"--help", "-h"}:
                continue
            if option is None:
                return f"{context.command_path} has no option {name}"
            if not option.is_flag and not value:
                next(rest, None)
        elif getattr(context.command, "commands", None):
            return f"{context.command_path} has no command {word}"
    return None


@EVERY_PAGE
def test_every_command_of_a_page_exists(page: Path) -> None:
    assert [found for words in typed(page) if (found := mistake(words))] == []


def queries() -> list[Any]:
    return [
        pytest.param(words[1], id=f"{page.relative_to(ROOT)}-{number}")
        for page in PAGES
        for number, words in enumerate(typed(page))
        if len(words) > 1 and words[0] == "sql" and not words[1].startswith("-")
    ]


@pytest.mark.parametrize("query", queries())
def test_every_query_of_a_page_runs(built: Place, query: str) -> None:
    assert built("sql", query).code == 0, built("sql", query).stderr


@EVERY_PAGE
def test_every_table_that_a_page_names_exists(page: Path) -> None:
    catalog = (ROOT / "docs" / "catalog.md").read_text(encoding="utf-8")
    tables = set(re.findall(r"^## (\w+\.\w+)$", catalog, flags=re.MULTILINE))
    schemas = "|".join({table.partition(".")[0] for table in tables})
    text = page.read_text(encoding="utf-8").replace("reports.populations", "")  # the mistake that library.md shows
    named = set(re.findall(rf"(?<![\w./-])((?:{schemas})\.\w+)\b", text))

    assert sorted(name for name in named - tables if Path(name).suffix not in FILES) == []


@pytest.mark.parametrize("name", ["partial.md", "completeness.md"])
def test_a_page_explains_every_gate_check(built: Place, name: str) -> None:
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    ran = built("sql", "--json", "select distinct check_id from meta.reconciliation where is_gate").result
    files = (resources.sql() / "completeness").glob("*.sql")

    checks = {row["check_id"] for row in ran} | {path.stem for path in files if "gate    = true" in path.read_text()}
    assert len(checks) > 15
    assert sorted(check for check in checks if f"`{check}`" not in page) == []
