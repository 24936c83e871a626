"""Every failure ends with its exit code, one error and one hint, and keeps earlier snapshots."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from pipeline import Project, load_settings
from pipeline.errors import SupersededError, WarehouseError
from pipeline.simulator.server import Simulator
from tests.e2e.conftest import Outcome, run_command
from tests.e2e.remediating import Prepared
from tests.machine import full_disk
from tests.rules import rule

STALE_ACCOUNT = rule("Stale account")


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(60, 7) as running:
        yield running


@pytest.fixture(scope="module")
def extracted(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extracted")
    simulator.write_files(folder)
    edit(folder, 'kind = "sisense"', 'kind = "sisense"\nobjects = false')
    good = run_command(folder, "extract", ACCESS_REVIEW_PROD_PASSWORD=simulator.password)
    assert good.code == 0, good.stderr
    return folder


def test_a_disk_that_fills_up_while_pages_arrive_is_named(simulator: Simulator, extracted: Path) -> None:
    project = Project(
        load_settings(extracted / "access-review.toml"), {"ACCESS_REVIEW_PROD_PASSWORD": simulator.password}
    )
    with (
        full_disk(10_000),
        pytest.raises(WarehouseError, match="the pages cannot be kept: File too large") as caught,
    ):
        project.extract()

    assert "free some space" in caught.value.hint
    assert not list(extracted.glob("*.spool"))


@pytest.fixture
def review(extracted: Path, tmp_path: Path) -> Path:
    """Copy a folder with one good snapshot."""
    return shutil.copytree(extracted, tmp_path, dirs_exist_ok=True)


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "access-review.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def assert_one_error(outcome: Outcome, code: int, *said: str) -> None:
    lines = outcome.stderr.splitlines()
    assert outcome.code == code, outcome.stderr
    assert sum(line.startswith("error: ") for line in lines) == 1, outcome.stderr
    assert sum(line.startswith("hint: ") for line in lines) == 1, outcome.stderr
    # the place is at the end, or the source that each reason begins with
    assert re.search(r" — |: source '", next(line for line in lines if line.startswith("error: ")))
    assert "Traceback" not in outcome.stderr
    for text in said:
        assert text in outcome.stderr
    assert outcome.stdout == ""


def assert_earlier_snapshots_whole(folder: Path) -> None:
    (folder / "plain.toml").write_text('[warehouse]\ndatabase = "access-review.duckdb"\n', encoding="utf-8")
    query = (
        "select (select count(*) from meta.snapshots) as snapshots,"
        " (select count(*) from raw.users where is_accepted) as users"
    )
    counted = run_command(folder, "--config", "plain.toml", "sql", query, "--format", "csv")
    assert counted.stdout == "snapshots,users\n1,60\n", counted.stderr
    assert not list(folder.glob("*.spool"))


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_wrong_password_is_refused_and_never_shown(review: Path) -> None:
    outcome = run_command(review, "run", ACCESS_REVIEW_PROD_PASSWORD="not-it")
    assert_one_error(outcome, 3, "the login is refused", "source 'prod'")
    assert "not-it" not in outcome.stderr
    assert_earlier_snapshots_whole(review)


def test_an_unreachable_host_is_named(review: Path, simulator: Simulator) -> None:
    edit(review, f"{simulator.port}", f"{closed_port()}")
    edit(review, 'kind = "sisense"', 'kind = "sisense"\nmax_attempts = 1')
    assert_one_error(run_command(review, "run", ACCESS_REVIEW_PROD_PASSWORD="x"), 3, "127.0.0.1")
    assert_earlier_snapshots_whole(review)


def test_html_instead_of_json_names_the_endpoint(review: Path, simulator: Simulator) -> None:
    with Simulator(population=simulator.population, scenarios=["html"]) as faulty:
        edit(review, f"{simulator.port}", f"{faulty.port}")
        edit(review, 'kind = "sisense"', 'kind = "sisense"\nmax_attempts = 1')
        outcome = run_command(review, "run", ACCESS_REVIEW_PROD_PASSWORD=faulty.password)
    assert_one_error(outcome, 3, "/api/v1/users")
    assert_earlier_snapshots_whole(review)


def test_a_filtered_list_is_partial_and_not_reported_unless_allowed(review: Path, simulator: Simulator) -> None:
    with Simulator(60, 7, scenarios=["non-admin"]) as filtered:
        edit(review, f"{simulator.port}", f"{filtered.port}")
        refused = run_command(review, "run", ACCESS_REVIEW_PROD_PASSWORD=filtered.password)
        allowed = run_command(
            review, "run", "--allow-partial", "--format", "csv", ACCESS_REVIEW_PROD_PASSWORD=filtered.password
        )
    assert_one_error(refused, 3, "PARTIAL", "filtered list")
    assert allowed.code == 0, allowed.stderr
    assert "warning: NOT COMPLETE" in allowed.stderr


Break = Callable[[Path], None]


@pytest.mark.parametrize(
    ("mistake", "code", "said"),
    [
        (lambda f: edit(f, "url = ", "# url = "), 2, ["the key 'url' is missing", "sources.prod"]),
        (
            lambda f: edit(f, "username = ", "user_name = "),
            2,
            ["unknown key 'sources.prod.user_name'", "did you mean 'username'?"],
        ),
        (lambda f: (f / "people.csv").write_bytes(b"email\nn/a\n"), 2, ["line 2: the email 'n/a' is not an e-mail"]),
        (lambda f: (f / "people.csv").unlink(), 2, ["there is no roster file", "people.csv"]),
        (lambda f: (f / "access-review.toml").unlink(), 2, ["there is no configuration file", "init"]),
        (
            lambda f: edit(f, "[policy]", "[rules.stale_acount]\nstale_after_days = 9\n\n[policy]"),
            2,
            ["there is no rule 'stale_acount'", f"did you mean '{STALE_ACCOUNT}'?"],
        ),
        (
            lambda f: (f / "policy" / "roles.csv").write_text("role_name,rank,privileged\nx,high,true\n"),
            2,
            ["line 2", "roles.csv"],
        ),
    ],
    ids=["missing key", "misspelt key", "bad roster", "no roster", "no configuration", "no such rule", "bad policy"],
)
def test_a_mistake_in_a_file_is_named(
    review: Path, simulator: Simulator, mistake: Break, code: int, said: list[str]
) -> None:
    mistake(review)
    assert_one_error(run_command(review, "run", ACCESS_REVIEW_PROD_PASSWORD=simulator.password), code, *said)
    assert_earlier_snapshots_whole(review)


def test_missing_secret_names_the_variable(review: Path) -> None:
    assert_one_error(run_command(review, "run"), 2, "ACCESS_REVIEW_PROD_PASSWORD")


def test_build_and_report_name_the_missing_stage(tmp_path: Path, simulator: Simulator) -> None:
    simulator.write_files(tmp_path)
    assert_one_error(run_command(tmp_path, "build"), 4, "no snapshot")
    assert_one_error(run_command(tmp_path, "report"), 4, "build")


def test_a_report_folder_that_cannot_be_written_is_named(prepared: Prepared, tmp_path: Path) -> None:
    shutil.copytree(prepared.built, tmp_path, dirs_exist_ok=True)
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    assert_one_error(run_command(tmp_path, "report", "--format", "csv", "--out", "file/below"), 5, "file")


def test_init_never_overwrites(tmp_path: Path) -> None:
    assert run_command(tmp_path, "init").code == 0
    written = (tmp_path / "access-review.toml").read_text(encoding="utf-8")
    assert_one_error(run_command(tmp_path, "init"), 2, "already exists")
    assert (tmp_path / "access-review.toml").read_text(encoding="utf-8") == written
    started = run_command(tmp_path, "check", ACCESS_REVIEW_PROD_PASSWORD="x")
    assert "ok      configuration" in started.stdout


def test_help_imports_no_heavy_library() -> None:
    code = (
        "import sys; sys.argv = ['access-review', '--help']\n"
        "from pipeline.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'duckdb', 'polars', 'weasyprint', 'httpx', 'starlette', 'uvicorn', 'jinja2', 'cryptography'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert shown.stdout.splitlines()[-1] == "HEAVY []"


def test_a_report_of_a_superseded_build_is_refused(prepared: Prepared, tmp_path: Path) -> None:
    shutil.copytree(prepared.built, tmp_path, dirs_exist_ok=True)
    project = Project(load_settings(tmp_path / "access-review.toml"), {})
    mine = project.query("select build_id from meta.builds").item()
    project.build(as_of=datetime.fromisoformat("2026-01-01"))  # another process, in between

    with pytest.raises(SupersededError):
        project.report(formats=["csv"], build_id=mine)


def test_extracting_one_source_names_the_others(review: Path, simulator: Simulator) -> None:
    path = review / "access-review.toml"
    second = '[sources.second]\nkind = "sisense"\nurl = "http://127.0.0.1:9"\nusername = "x"\n\n'
    path.write_text(second + path.read_text(encoding="utf-8"), encoding="utf-8")

    outcome = run_command(review, "extract", "prod", ACCESS_REVIEW_PROD_PASSWORD=simulator.password)

    assert outcome.code == 0, outcome.stderr
    assert "warning: not extracted: second" in outcome.stderr
    shown = run_command(review, "snapshots", "show", outcome.stdout.split()[0])
    assert "source_extracted" in shown.stdout
