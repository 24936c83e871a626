"""A build on a Spark Connect server: the same report as in DuckDB, and nothing lost if the server is killed."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import Project, load_settings
from pipeline.errors import ConfigurationError, WarehouseError
from pipeline.progress import Silent
from tests.e2e.conftest import Finished
from tests.engines.server import EngineServer


@pytest.fixture
def project(finished: Finished, tmp_path: Path) -> Callable[..., Project]:
    """Give a function that returns a project with the extract and the build of ``finished``, and an engine."""
    for name in ("access-review.toml", "access-review.duckdb", "people.csv"):
        shutil.copy(finished.folder / name, tmp_path / name)
    shutil.copytree(finished.folder / "policy", tmp_path / "policy")
    settings = load_settings(tmp_path / "access-review.toml")

    def on(url: str | None, progress: Silent | None = None) -> Project:
        warehouse = replace(settings.warehouse, engine="spark", engine_url=url)
        return Project(replace(settings, warehouse=warehouse), {}, progress)

    return on


def build_id(project: Project) -> str:
    (row,) = project.query(
        "select build_id, (select count(*) from findings.failed) as failed from reference.snapshot"
    ).rows()
    return str(row)


def csv_files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.csv"))}


def test_the_report_of_a_build_on_the_engine_has_the_same_bytes(
    finished: Finished, project: Callable[..., Project], server: str, tmp_path: Path
) -> None:
    on_engine = project(server)
    built = on_engine.build()
    report = on_engine.report(formats=["csv"], directory=tmp_path / "out")

    assert built.build_id in {path.name for path in (tmp_path / "lake" / "graph" / "accounts").iterdir()}
    assert len(csv_files(report.folder)) > 5
    assert csv_files(report.folder) == {
        name: content for name, content in csv_files(finished.report).items() if name in csv_files(report.folder)
    }


def test_without_the_packages_the_error_says_what_to_install(
    project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql.connect.session", None)  # as if it were not installed

    with pytest.raises(ConfigurationError) as raised:
        project("sc://127.0.0.1:1").build()

    assert "pip install 'sisense-access-review[spark]'" in str(raised.value.hint)


class KillingAt(Silent):
    """Kills a server when the build comes to a table."""

    def __init__(self, server: EngineServer, table: str) -> None:
        self._server = server
        self._table = table

    def advance(self, what: str, done: int, total: int | None) -> None:
        if what == self._table:
            self._server.kill()


def test_a_killed_engine_leaves_the_last_build_whole(
    project: Callable[..., Project], doomed_server: EngineServer, tmp_path: Path
) -> None:
    killed = project(doomed_server.url, KillingAt(doomed_server, "graph.accounts"))
    before = build_id(killed)

    with pytest.raises(WarehouseError) as raised:
        killed.build()

    assert "the engine does not answer" in str(raised.value)
    assert raised.value.where == doomed_server.url
    assert build_id(killed) == before
    assert not [*(tmp_path / "lake").glob("*/*/*")]


def test_an_engine_that_is_not_there_or_not_named_is_an_error_in_words(project: Callable[..., Project]) -> None:
    with pytest.raises(ConfigurationError, match="has no address"):
        project(None).build()
    with pytest.raises(ConfigurationError, match="not the address"):
        project("http://host").build()
    with pytest.raises(ConfigurationError, match="has parameters"):
        project("sc://host/;token=secret").build()
    with pytest.raises(WarehouseError, match="does not answer"):
        project("sc://127.0.0.1:1").build()
