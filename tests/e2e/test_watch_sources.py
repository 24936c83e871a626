"""Watching several sources: one that is broken, or refuses the login, holds nothing back but its own events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.project import Project
from pipeline.settings import load_settings
from pipeline.simulator.server import Simulator
from pipeline.watch.watcher import Watcher
from tests.e2e.program import Outcome, configured_hastily, run_command

SECOND = """
[sources.lab]
kind = "sisense"
url = "{url}"
username = "{username}"
objects = false
max_attempts = 1
give_up_after_seconds = 1
"""


@dataclass
class Instances:
    folder: Path
    prod: Simulator
    lab: Simulator

    @property
    def secrets(self) -> dict[str, str]:
        return {
            "ACCESS_REVIEW_PROD_PASSWORD": self.prod.password,
            "ACCESS_REVIEW_LAB_PASSWORD": self.lab.password,
        }

    def once(self) -> Outcome:
        return run_command(self.folder, "--json", "watch", "--once", **self.secrets)


@pytest.fixture
def instances(tmp_path: Path) -> Iterator[Instances]:
    with Simulator(40, 7) as prod, Simulator(40, 7) as lab:
        configured_hastily(prod, tmp_path)
        with (tmp_path / "access-review.toml").open("a", encoding="utf-8") as configuration:
            configuration.write(SECOND.format(url=lab.url, username=lab.username))
        yield Instances(tmp_path, prod, lab)


def joins(simulator: Simulator, email: str) -> None:
    store = simulator.sisense.store
    store.create({"email": email, "roleId": next(iter(store.roles))})


def leaves(simulator: Simulator) -> Any:
    store = simulator.sisense.store
    user = next(user for user in store.users if user["_id"] != store.caller_id)
    store.delete(user["_id"])
    return user["_id"]


def test_a_source_that_is_down_is_named_and_the_events_of_the_other_are_recorded(instances: Instances) -> None:
    whole = instances.once()
    joins(instances.prod, "joined@example.com")
    gone = leaves(instances.lab)
    instances.lab.sisense.outage = lambda call: call.path.endswith("/groups")
    down = instances.once()
    report = run_command(instances.folder, "report", "--format", "csv")
    instances.lab.sisense.outage = lambda _: False
    back = instances.once()

    assert (whole.code, down.code, back.code) == (0, 3, 0)
    first = whole.result["snapshot_id"]
    assert down.result["compared_with"] == {"prod": first}
    assert list(down.result["incomplete"]) == ["lab"]
    assert (down.result["events"]["joiner"], "leaver" in down.result["events"]) == (1, False)
    assert "'lab'" in down.stderr
    assert report.code == 3, "the build of an extract with a broken source is no report"
    assert back.result["compared_with"] == {"lab": first, "prod": down.result["snapshot_id"]}
    assert back.result["events"]["leaver"] == 1
    sql = "select source, account_id, kind from history.events where kind in ('joiner', 'leaver') order by position"
    logged = run_command(instances.folder, "--json", "sql", sql).result
    assert [(row["source"], row["kind"]) for row in logged] == [("prod", "joiner"), ("lab", "leaver")]
    assert logged[1]["account_id"] == gone


def test_a_source_that_refuses_the_password_is_contacted_once_and_the_other_is_watched(instances: Instances) -> None:
    secrets = {**instances.secrets, "ACCESS_REVIEW_LAB_PASSWORD": "wrong"}
    project = Project(load_settings(instances.folder / "access-review.toml"), secrets)
    names = iter(("first@example.com", "second@example.com"))
    watcher = Watcher(project, [], sleep=lambda _: joins(instances.prod, next(names)))

    ticks = watcher.ticks(3600, lambda: 0.0)
    first = next(ticks)
    contacted = len(instances.lab.sisense.log)
    second = next(ticks)

    assert (first.exit_code, second.exit_code) == (3, 3)
    assert second.events["joiner"] == 1
    assert [str(error) for error in second.errors] == [str(error) for error in first.errors]
    assert len(instances.lab.sisense.log) == contacted > 0
    project.environment = instances.secrets | {"ACCESS_REVIEW_PROD_PASSWORD": "wrong"}
    assert len(list(ticks)) == 1, "every source has refused the login"
