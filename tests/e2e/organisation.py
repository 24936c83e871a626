"""A build of two sources whose accounts share their ids, with the dashboards and data models of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.simulator.objects import ObjectSizes
from pipeline.simulator.population import Population, build
from pipeline.simulator.server import Simulator
from pipeline.warehouse import adhoc
from pipeline.warehouse.database import Connection
from tests.e2e.program import Outcome, run_command
from tests.fakes import reach as fakes
from tests.fakes.reach import Reach

__all__ = ["SEED", "Organisation", "build_two_sources", "described"]

ACCOUNTS, SEED = 500, 7
#: The second source has the accounts of the first, and other objects, of which many have the same ids.
OTHER_SIZES = ObjectSizes(dashboards=20, models=9, shares=120, row_rules=60)


@dataclass(frozen=True)
class Organisation:
    """A build of two sources, what each must show, and the names that the paths use."""

    connection: Connection
    reaches: Mapping[str, Reach]
    names: Mapping[tuple[str, str, str], str]
    warnings: list[str]

    def rows(self, sql: str, **values: object) -> list[dict[str, Any]]:
        columns, rows = adhoc.run(self.connection, sql, values)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def path(self, source: str, account_id: str, path: fakes.Path, *, object_id: str) -> str:
        """Return a path in words: ``Ann Ek > group Sales > dashboard Orders``."""
        name = self.names.get((source, path.object_type, object_id))
        kind = "data model" if path.object_type == "model" else path.object_type
        target = f"{kind} {name}" if object_id else f"every {kind}"
        steps = [self.names[source, "account", account_id]]
        if path.via in {"group", "everyone", "role"}:
            kind = "role" if path.via == "role" else "group"
            steps.append(f"{kind} {self.names[source, kind, path.via_id]}")
        return " > ".join([*steps, f"owner of {target}" if path.via == "owner" else target])


def build_two_sources(folder: Path) -> tuple[dict[str, Population], list[str]]:
    """Build two sources of two servers; return what they hold, and the warnings of the build."""
    other = build(ACCOUNTS, SEED, datetime.now(UTC), OTHER_SIZES)
    with Simulator(ACCOUNTS, SEED) as first, Simulator(population=other) as second:
        first.write_files(folder)
        with (folder / "policy" / "objects.csv").open("a", encoding="utf-8") as labels:
            labels.write("model,No Such Model,orange,\n")
        configuration = folder / "access-review.toml"
        text = configuration.read_text(encoding="utf-8")
        added = f'[sources.test]\nkind = "sisense"\nurl = "{second.url}"\nusername = "{second.username}"\n\n[roster]'
        configuration.write_text(text.replace("[roster]", added), encoding="utf-8")
        secrets = {"ACCESS_REVIEW_PROD_PASSWORD": first.password, "ACCESS_REVIEW_TEST_PASSWORD": second.password}
        done(run_command(folder, "extract", **secrets))
    populations = {"prod": first.population, "test": second.population}
    return populations, done(run_command(folder, "build", **secrets)).stderr.splitlines()


def done(outcome: Outcome) -> Outcome:
    assert outcome.code == 0, outcome.stderr
    return outcome


def described(connection: Connection, populations: Mapping[str, Population], warnings: list[str]) -> Organisation:
    reaches = {source: Reach(population, population.objects) for source, population in populations.items()}
    names = {
        (source, kind, found): name
        for source, kind, found, name in connection.execute(
            "select source, 'account', account_id, display_name from graph.accounts"
            " union all select source, entitlement_type, entitlement_id, entitlement_name from graph.entitlements"
            " union all select source, object_type, object_id, object_name from graph.objects"
        ).fetchall()
    }
    return Organisation(connection, reaches, names, warnings)
