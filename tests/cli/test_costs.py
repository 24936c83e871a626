"""A run reports what each of its stages cost."""

from __future__ import annotations

from tests.cli.conftest import Place
from tests.e2e.conftest import Outcome


def test_a_run_reports_the_cost_of_each_stage(ran: tuple[Place, Outcome]) -> None:
    place, told = ran

    stages = told.result["stages"]
    assert [stage["stage"] for stage in stages] == ["extract prod", "land", "build", "report"]
    population, objects = place.simulator.population, place.simulator.population.objects
    accounts = len(population.users) + len(population.roles) + len(population.groups)
    models = len(objects.models) + sum(len(model.rules) for model in objects.models)
    settings = 3  # seats, single sign-on, lockout
    others = len(objects.folders) + len(objects.reports) + len(objects.tenants) + settings
    pulled = accounts + len(objects.dashboards) + models + others
    assert stages[0]["rows"] == pulled
    assert stages[1]["rows"] >= pulled
    assert all(stage["seconds"] > 0 and stage["rows"] > 0 and stage["peak_memory_mb"] > 10 for stage in stages)
