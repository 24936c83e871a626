"""Builds the models of one snapshot: binds, creates, checks and publishes them, in one transaction.

Readers see the old build or the new one. Policy, reference and roster are read inside the transaction too, so that a
build and the inputs it names can never differ.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import duckdb

from pipeline import resources
from pipeline.errors import WarehouseError
from pipeline.warehouse import checks, database, policy, provider, register, saved
from pipeline.warehouse.comments import comment
from pipeline.warehouse.database import Connection
from pipeline.warehouse.executor import Executor, InDuckDB, replacing
from pipeline.warehouse.model import Model
from pipeline.warehouse.model_file import combined_sha256, tables_sha256
from pipeline.warehouse.people import Roster
from pipeline.warehouse.plan import BUILDER_TABLES, order
from pipeline.warehouse.policy import PolicyFiles
from pipeline.warehouse.roster_columns import RosterFormat
from pipeline.warehouse.rules import RuleInForce
from pipeline.warehouse.snapshots import Snapshot

__all__ = ["Build", "Inputs", "build", "rebuild"]

#: Schemas whose tables are made anew by every build.
_BUILT = ("staging", "graph", "findings", "reports")

#: Tables of ``history`` and ``baseline``, and what they are filled from.
_PUBLISHED = {
    "accounts": "graph.accounts",
    "roles": "graph.roles",
    "groups": "graph.groups",
    "memberships": "graph.memberships",
    "grants": "graph.grants",
    "register": "findings.register",
}
#: Tables of ``history`` alone, and what they are filled from.
_RECORDED = {
    "evaluations": "findings.evaluations",
    "unknown_subjects": "findings.unknown_subjects",
    "trend": "reports.current_trend",
    "trend_figures": "reports.current_figures",
}


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a build depends on besides the snapshot's rows. ``as_of`` is UTC without a zone.

    ``roster_source`` names the source whose users are the roster, instead of a file.
    """

    organization: str
    policy_files: PolicyFiles
    roster: Roster | None
    rules: Sequence[RuleInForce]
    snapshot: Snapshot
    as_of: datetime
    baseline_snapshot_id: str | None
    tool_version: str
    roster_source: str | None = None


@dataclass(frozen=True, slots=True)
class Build:
    """A build: its snapshot, its id, the name of the report folder, rows by table, and the warnings of its checks."""

    snapshot_id: str
    build_id: str
    folder: str
    rows: Mapping[str, int]
    warnings: tuple[str, ...]


def build(
    connection: Connection,
    models: Sequence[Model],
    inputs: Inputs,
    *,
    progress: Callable[[str, int, int], None],
    executor: Executor | None = None,
) -> Build:
    """Build every model for one snapshot and publish it. ``progress`` gets (table, done, of).

    ``executor`` runs the models; by default the database does.

    Raises:
        ConfigurationError: a policy file or the roster is wrong.
        ModelError: a model does not run, or breaks what its header promises. The previous build stays.
        WarehouseError: the requested baseline does not exist.
    """
    connection.execute("set preserve_insertion_order = false")  # tables have no order; every reader sorts
    builder = _Builder(connection, inputs.rules, inputs.snapshot, inputs.as_of, executor)
    try:
        with replacing(connection, builder.executor), database.transaction(connection):
            return builder.run(models, inputs, progress)
    except (duckdb.CatalogException, duckdb.BinderException):
        raise  # a lasting table has other columns than this version expects; database.writing reports that
    except duckdb.Error as error:
        raise WarehouseError(
            f"the build failed: {str(error).splitlines()[0]}",
            where="database",
            hint="free some disk space if it is full, then build again; the previous build is whole",
        ) from error


def rebuild(
    connection: Connection, models: Sequence[Model], rules: Sequence[RuleInForce], snapshot: Snapshot, as_of: datetime
) -> None:
    """Build every model once more from inputs that are in the database already; publish nothing.

    Raises:
        ModelError: a model does not run, or breaks what its header promises.
    """
    _Builder(connection, rules, snapshot, as_of).create_all(models, lambda *_: None)


class _Builder:
    def __init__(
        self,
        connection: Connection,
        rules: Sequence[RuleInForce],
        snapshot: Snapshot,
        as_of: datetime,
        executor: Executor | None = None,
    ) -> None:
        self.connection = connection
        self.executor: Executor = executor or InDuckDB(connection)
        self.rules = {rule.model.table: rule for rule in rules}
        self.snapshot = snapshot
        self.as_of = as_of
        self.warnings: list[str] = []
        self.rows: dict[str, int] = {}
        self.unverified: list[Model] = []

    def run(self, models: Sequence[Model], inputs: Inputs, progress: Callable[[str, int, int], None]) -> Build:
        build_id, folder = self.load_inputs(models, inputs)
        plan = self.create_all(models, progress, build_id)
        for model in plan:
            comment(self.connection, model)
        progress("history", len(plan), len(plan))
        self.publish(build_id)
        rows = self.rows | {table: self.count(table) for table in BUILDER_TABLES}
        return Build(self.snapshot.snapshot_id, build_id, folder, rows, tuple(self.warnings))

    def create_all(
        self, models: Sequence[Model], progress: Callable[[str, int, int], None], build_id: str = ""
    ) -> list[Model]:
        """Make every table of the built schemas anew; return the models behind them, in order."""
        self.drop_previous()
        layers = [model for model in models if model.schema in _BUILT]
        plan = [m for m in order(layers, frozenset(self.tables())) if not m.is_rule or self.rules[m.table].is_enabled]
        # The models that read the union of all rules are built after it.
        before = [model for model in plan if model.schema in {"staging", "graph"} or model.is_rule]
        after = [model for model in plan if model not in before]
        self.executor.begin(build_id, [(model, self.bound(model)) for model in [*before, *after]])
        for position, model in enumerate(before):
            progress(model.table, position, len(plan))
            self.create(model)
        self.verify_grains()
        register.fill(self.connection, tuple(self.rules.values()), self.values)
        for position, model in enumerate(after, start=len(before)):
            progress(model.table, position, len(plan))
            self.create(model)
        self.verify_grains()
        return [*before, *after]

    def load_inputs(self, models: Sequence[Model], given: Inputs) -> tuple[str, str]:
        """Fill reference, policy, roster and baseline; return the build's id and its report folder's name."""
        snapshot = self.snapshot
        reference_sha256 = policy.load_reference(self.connection, given.policy_files.defaults)
        policy_sha256 = policy.load_policy(self.connection, given.policy_files)
        policy.check_rule_ids(self.connection, {rule.model.name for rule in given.rules})
        roster_name, roster_sha256 = self.load_people(given)
        self.load_rules()
        default_baseline = self.default_baseline()
        baseline = given.baseline_snapshot_id or default_baseline
        self.fill_baseline(baseline)
        parameters = _parameters(given)
        sql_sha256 = combined_sha256([tables_sha256(resources.sql()), *(model.sha256 for model in models)])
        identity = [
            snapshot.snapshot_id,
            given.as_of.isoformat(),
            baseline,
            parameters,
            policy_sha256,
            reference_sha256,
            roster_sha256,
            sql_sha256,
        ]
        build_id = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        is_default = given.as_of == snapshot.as_of and baseline == default_baseline
        folder = snapshot.snapshot_id if is_default else f"{snapshot.snapshot_id}-{build_id[:8]}"
        known = {
            "snapshot_id": snapshot.snapshot_id,
            "build_id": build_id,
            "folder": folder,
            "as_of": given.as_of,
            "baseline_snapshot_id": baseline,
        }
        extract = {
            "organization": given.organization,
            "started_at": snapshot.started_at,
            "finished_at": snapshot.finished_at,
            "completeness": snapshot.completeness,
            "reason": snapshot.reason,
            "tool_version": snapshot.tool_version,
        }
        inputs = {
            "parameters": json.dumps(parameters, sort_keys=True),
            "policy_sha256": policy_sha256,
            "reference_sha256": reference_sha256,
            "roster_sha256": roster_sha256,
            "sql_sha256": sql_sha256,
            "tool_version": given.tool_version,
            "roster_file": roster_name,
        }
        policy.replace(self.connection, "reference.snapshot", [known | extract])
        self.connection.execute("delete from meta.builds where build_id = $id", {"id": build_id})
        database.insert(self.connection, "meta.builds", [known | inputs])
        return build_id, folder

    def load_people(self, given: Inputs) -> tuple[str | None, str | None]:
        """Fill ``policy.roster``; return the name of its file or source, and the hash of its content."""
        if given.roster is not None:
            given.roster.copy_to(self.connection)
            self.warnings += given.roster.notes
            return given.roster.path.name, given.roster.sha256
        if given.roster_source is not None:
            _, sha256 = provider.load_people(
                self.connection, given.roster_source, self.snapshot.snapshot_id, self.snapshot.finished_at
            )
            return f"source {given.roster_source}", sha256
        self.connection.execute("delete from policy.roster")
        return None, None

    def load_rules(self) -> None:
        """Fill ``reference.rules`` and ``reference.rule_parameters`` with the rules as they are in force."""
        rules = [
            {
                "rule_id": rule.model.name,
                "severity": rule.severity or rule.model.severity,
                "is_per_person": register.subject(rule.model)[1] == "'person'",
                "is_per_role": register.subject(rule.model)[1] == "'role'",
                "is_per_object": register.subject(rule.model)[1] == "'object'",
                "needs": rule.model.needs,
                **asdict(rule.model.effects),
            }
            for rule in self.rules.values()
        ]
        parameters = [
            {"rule_id": rule.model.name, "parameter": name, "value": float(value)}
            for rule in self.rules.values()
            for name, value in rule.parameters.items()
            if isinstance(value, int | float)
        ]
        policy.replace(self.connection, "reference.rules", rules)
        policy.replace(self.connection, "reference.rule_parameters", parameters)

    def default_baseline(self) -> str | None:
        """Return the snapshot to compare with unless the caller names one, or None."""
        row = self.connection.execute(
            saved.statement("baseline", "choice"),
            {"snapshot_id": self.snapshot.snapshot_id, "finished_at": self.snapshot.finished_at},
        ).fetchone()
        return row[0] if row else None

    def fill_baseline(self, snapshot_id: str | None) -> None:
        for table in ("snapshot", "absences", "reports", *_PUBLISHED):
            self.connection.execute(f"delete from baseline.{table}")
        self.connection.execute(
            f"insert into baseline.absences by name {saved.statement('baseline', 'absences')}",
            {"snapshot_id": self.snapshot.snapshot_id, "finished_at": self.snapshot.finished_at},
        )
        self.connection.execute(
            f"insert into baseline.reports by name {saved.statement('baseline', 'reports')}",
            {"snapshot_id": self.snapshot.snapshot_id},
        )
        if snapshot_id is None:
            return
        self.connection.execute(
            f"insert into baseline.snapshot by name {saved.statement('baseline', 'snapshot')}",
            {"baseline_snapshot_id": snapshot_id},
        )
        if self.count("baseline.snapshot") != 1:
            raise WarehouseError(
                f"the baseline '{snapshot_id}' was never built",
                where="history.accounts",
                hint=f"run 'access-review build --snapshot {snapshot_id}' first, or name another baseline",
            )
        for table in _PUBLISHED:
            keys = ", match_key(user_name) as user_name_key" if table == "accounts" else ""
            self.connection.execute(
                f"insert into baseline.{table} by name select * exclude (build_id, snapshot_id){keys} "
                f"from history.{table} where snapshot_id = $id",
                {"id": snapshot_id},
            )

    def drop_previous(self) -> None:
        for table in self.tables():
            if table.partition(".")[0] in _BUILT and table not in BUILDER_TABLES:
                self.connection.execute(f"drop table {table}")

    def tables(self) -> list[str]:
        rows = self.connection.execute(
            """
            select schema_name || '.' || table_name from duckdb_tables()
            where not internal and not temporary order by all
            """
        ).fetchall()
        return [row[0] for row in rows]

    def values(self, model: Model) -> dict[str, object]:
        """Return every value a statement of this model may bind."""
        rule = self.rules.get(model.table)
        return {
            "snapshot_id": self.snapshot.snapshot_id,
            "as_of": self.as_of,
            **(rule.parameters if rule else model.params),
        }

    def bound(self, model: Model) -> dict[str, object]:
        return checks.bound(self.connection, model.sql, self.values(model))

    def create(self, model: Model) -> None:
        self.rows[model.table] = self.executor.create(model, self.bound(model))
        self.unverified.append(model)
        self.warnings += checks.verify_model(self.connection, model, self.executor)

    def verify_grains(self) -> None:
        """Hold the tables made since the last call to their grains."""
        checks.verify_grains(self.executor, self.unverified, self.rows)
        self.unverified = []

    def publish(self, build_id: str) -> None:
        """Replace this snapshot's rows of ``history`` by this build's, unless what they say was signed off."""
        snapshot_id = self.snapshot.snapshot_id
        is_signed = self.connection.execute(
            "select count(*) > 0 from review.sign_offs where snapshot_id = $id", {"id": snapshot_id}
        ).fetchall()[0][0]
        built = {*self.rows, *BUILDER_TABLES}
        recorded = {table: source for table, source in _RECORDED.items() if source in built}
        for table, source in (_PUBLISHED | recorded).items() if not is_signed else ():
            self.connection.execute(f"delete from history.{table} where snapshot_id = $id", {"id": snapshot_id})
            columns = [
                row[0]
                for row in self.connection.execute(f"describe history.{table}").fetchall()
                if row[0] not in {"build_id", "snapshot_id"}
            ]
            self.connection.execute(
                f"insert into history.{table} by name "
                f"select $build_id as build_id, $snapshot_id as snapshot_id, {', '.join(columns)} from {source}",
                {"build_id": build_id, "snapshot_id": snapshot_id},
            )
        self.connection.execute("delete from meta.rule_runs where build_id = $id", {"id": build_id})
        self.connection.execute(
            "insert into meta.rule_runs by name select $id as build_id, rule_id, enabled as is_enabled, parameters,"
            " population, failed, unknown, passed, sql_sha256 from findings.rule_summary",
            {"id": build_id},
        )

    def count(self, table: str) -> int:
        row: tuple[Any, ...] | None = self.connection.execute(f"select count(*) from {table}").fetchone()
        return int(row[0]) if row else 0


def _parameters(given: Inputs) -> dict[str, Any]:
    """Return the settings on which a build depends, as ``meta.builds`` records them."""
    parameters: dict[str, Any] = {
        "organization": given.organization,
        "email_domains": sorted(given.policy_files.email_domains),
        "rules": {
            rule.model.name: {"enabled": rule.is_enabled, "severity": rule.severity, **rule.parameters}
            for rule in given.rules
        },
    }
    if given.policy_files.cadence:
        parameters["cadence"] = dict(sorted(given.policy_files.cadence.items()))
    if given.policy_files.licence_prices:
        parameters["licence_price"] = {
            **dict(sorted(given.policy_files.licence_prices.items())),
            "currency": given.policy_files.currency,
        }
    if given.policy_files.due_days:
        parameters["due_days"] = dict(sorted(given.policy_files.due_days.items()))
    if given.policy_files.default_owner:
        parameters["default_owner"] = given.policy_files.default_owner
    if given.roster is not None and given.roster.format != RosterFormat():
        parameters["roster"] = asdict(given.roster.format)
    return parameters
