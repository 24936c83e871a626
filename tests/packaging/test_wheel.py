"""The wheel as a user gets it: built, inspected, installed and run outside the checkout.

After ``uv sync`` nothing here needs the network: hatchling comes from the development environment, and the packages
of ``uv.lock`` come from the cache of uv.
"""

from __future__ import annotations

import csv
import fnmatch
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.packaging.tutorial import follow

pytestmark = pytest.mark.xdist_group("wheel")  # one build, one installation

ROOT = Path(__file__).parents[2]
UV = Path(sysconfig.get_path("scripts"), "uv")
BUNDLED = ("sql", "reports/templates", "data/reference")


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command that must succeed, and return its stdout."""
    done = subprocess.run(command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(
        *(
            UV,
            "build",
            "--wheel",
            "--no-build-isolation",
            "--offline",
            "--python",
            sys.executable,
            "--out-dir",
            folder,
        ),
        cwd=ROOT,
    )
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder outside the checkout whose ``venv`` holds the wheel and its locked dependencies."""
    folder = tmp_path_factory.mktemp("elsewhere")
    environment = folder / "venv"
    python = environment / "bin" / "python"
    run(UV, "venv", "--python", sys.executable, environment, cwd=folder)
    run(
        *(UV, "sync", "--frozen", "--no-dev", "--no-install-project", "--python", python),
        cwd=ROOT,
        UV_PROJECT_ENVIRONMENT=str(environment),
    )
    run(UV, "pip", "install", "--offline", "--no-deps", "--python", python, wheel, cwd=folder)
    return folder


def test_the_wheel_contains_the_program_and_its_files_and_nothing_else(names: list[str]) -> None:
    files = {
        file.relative_to(ROOT)
        for folder in ("pipeline", *BUNDLED)
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    expected = {str(path if path.parts[0] == "pipeline" else "pipeline/_bundled" / path) for path in files}

    program = {name for name in names if ".dist-info/" not in name}
    metadata = {name.partition(".dist-info/")[2] for name in names} - {""}

    assert program == expected
    assert metadata == {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}


@pytest.mark.parametrize(
    "kind",
    [
        "sql/1_staging/*.sql",
        "sql/2_graph/*.sql",
        "sql/3_findings/*.sql",
        "sql/4_reports/*.sql",
        "reports/templates/*.html*",
        "reports/templates/*.css",
        "reports/templates/*.js",
        "reports/templates/fonts/*",
        "data/reference/*.csv",
    ],
)
def test_the_wheel_contains_each_kind_of_file_that_the_program_reads(names: list[str], kind: str) -> None:
    assert fnmatch.filter(names, f"pipeline/_bundled/{kind}")


def test_the_metadata_names_every_required_package(elsewhere: Path) -> None:
    run(UV, "pip", "check", "--python", elsewhere / "venv/bin/python", cwd=elsewhere)


def test_the_installed_command_prints_the_version_of_its_wheel(elsewhere: Path, wheel: Path) -> None:
    said = run(elsewhere / "venv/bin/access-review", "--version", cwd=elsewhere)

    assert said == f"access-review {wheel.name.split('-')[1]}\n"


def test_the_tutorial_leads_from_an_empty_machine_to_a_signed_review(elsewhere: Path, tmp_path: Path) -> None:
    """Every command of the page, in order, in an empty folder with an empty home."""
    said = follow(ROOT / "docs" / "tutorial.md", tmp_path, elsewhere / "venv/bin/access-review")

    out = tmp_path / "access-review-demo/out"
    report, signed = (folder for folder in sorted(out.iterdir()) if folder.name != "campaigns")
    with (report / "population.csv").open(encoding="utf-8", newline="") as file:
        assert sum(1 for _ in csv.DictReader(file)) == 60
    for pdf in ("access-review.pdf", "access-review-evidence.pdf", f"../{signed.name}/sign-off.pdf"):
        assert (report / pdf).read_bytes().startswith(b"%PDF-")
    assert re.search(r"^items +(\d+) = .* \+ 0 pending$", said, re.MULTILINE)
    assert "signature    valid for the key of --key" in said
    assert [line.split(":")[0] for line in said.splitlines() if "verified: " in line.lower()] == ["verified"] * 2

    # without the packages that only the tests need
    configured = ("--config", tmp_path / "access-review-demo/access-review.toml")
    outside = ("report", "--pseudonymise", "--format", "csv", "--out", tmp_path / "outside")
    run(elsewhere / "venv/bin/access-review", *configured, *outside, cwd=tmp_path)
    (folder,) = (tmp_path / "outside").iterdir()
    assert folder.name == f"{report.name}-pseudonymised"
