"""A run reports what each of its stages cost."""

from __future__ import annotations

from pathlib import Path

from pipeline.simulator.population import SMALLEST
from pipeline.simulator.server import Simulator
from tests.e2e.conftest import run_command


def test_a_run_reports_the_cost_of_each_stage(tmp_path: Path) -> None:
    with Simulator(SMALLEST, 7) as simulator:
        simulator.write_files(tmp_path)
        told = run_command(
            tmp_path, "--json", "run", "--format", "csv", ACCESS_REVIEW_PROD_PASSWORD=simulator.password
        )

    stages = told.result["stages"]
    assert [stage["stage"] for stage in stages] == ["extract prod", "land", "build", "report"]
    population, objects = simulator.population, simulator.population.objects
    accounts = len(population.users) + len(population.roles) + len(population.groups)
    models = len(objects.models) + sum(len(model.rules) for model in objects.models)
    settings = 3  # seats, single sign-on, lockout
    others = len(objects.folders) + len(objects.reports) + len(objects.tenants) + settings
    pulled = accounts + len(objects.dashboards) + models + others
    assert stages[0]["rows"] == pulled
    assert stages[1]["rows"] >= pulled
    assert all(stage["seconds"] > 0 and stage["rows"] > 0 and stage["peak_memory_mb"] > 10 for stage in stages)
