"""The Python API, used as the page about it says: in a notebook, whose event loop is running."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pipeline
from pipeline import Project, QueryError, UsageError, load_settings
from pipeline.simulator.server import Simulator
from tests.e2e.program import one_processor
from tests.e2e.remediating import Prepared

PAGE = Path(__file__).parents[2] / "docs" / "library.md"


def code_blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


async def run_as_a_notebook(blocks: list[str], namespace: dict[str, Any]) -> None:
    """Run each block as a notebook runs a cell: on the thread of a running event loop, with ``await`` allowed."""
    for number, block in enumerate(blocks, 1):
        code = compile(block, f"{PAGE.name}, block {number}", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        outcome = eval(code, namespace)  # a code object with 'await' gives a coroutine
        if inspect.iscoroutine(outcome):
            await outcome


def test_the_code_of_the_page_runs_in_a_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    namespace: dict[str, Any] = {}
    with Simulator(60, 7) as simulator:
        simulator.write_files(tmp_path)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("ACCESS_REVIEW_PROD_PASSWORD", simulator.password)

        with one_processor():
            asyncio.run(run_as_a_notebook(code_blocks(), namespace))

    result = namespace["result"]
    assert result.extract.is_complete
    assert result.build.accounts == 60
    assert {path.suffix for path in result.report.files} >= {".pdf", ".html", ".xlsx", ".json"}
    assert [stage.stage for stage in result.stages] == ["extract prod", "land", "build", "report"]
    assert list(namespace["privileged"].columns) == ["email", "role_name", "days_since_seen"]
    shown = capfd.readouterr()
    assert shown.err == "", "the API is silent"
    assert "stage build" in shown.out, "a progress that is handed over is told"
    assert "did you mean reports.population?" in shown.out


def test_a_query_can_only_read(prepared: Prepared) -> None:
    project = Project(load_settings(prepared.built / "access-review.toml"), {})

    assert project.query("select $a || $b as both", a="1", b="2").row(0) == ("12",)
    for statement in ("drop table graph.accounts", "from read_csv('/etc/passwd')", "select 1; select 2"):
        with pytest.raises(QueryError):
            project.query(statement)
    with pytest.raises(QueryError, match="cannot hold the column 'age'"):
        project.query("select interval 1 month as age")


def test_a_run_uses_the_roster_that_it_checked(tmp_path: Path) -> None:
    with Simulator(60, 7) as simulator:
        path = simulator.write_files(tmp_path)["access-review.toml"]

        def replace_the_roster(_call: object) -> bool:
            (tmp_path / "people.csv").write_text("this is no roster\n", encoding="utf-8")
            return False

        simulator.sisense.outage = replace_the_roster
        project = Project(load_settings(path), {"ACCESS_REVIEW_PROD_PASSWORD": simulator.password})
        result = project.run(formats=["csv"])

    assert result.extract.is_complete
    assert project.query("select count(*) from graph.people").item() > 20


def test_an_unknown_format_fails_before_anything_is_contacted(tmp_path: Path) -> None:
    path = tmp_path / "access-review.toml"
    path.write_text('[sources.prod]\nkind = "sisense"\nurl = "http://127.0.0.1:9"\n', encoding="utf-8")

    with pytest.raises(UsageError, match="docx"):
        Project(load_settings(path), {}).run(formats=["docx"])


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import pipeline, sys; print(sorted({'duckdb', 'polars', 'typer', 'httpx'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "[]\n"
    assert all(getattr(pipeline, name) is not None for name in pipeline.__all__)
