"""The inputs of a build besides its snapshot's rows: fills reference, policy, roster and baseline."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from pipeline import resources
from pipeline.errors import RosterError, WarehouseError
from pipeline.warehouse import database, policy, provider, register, saved
from pipeline.warehouse.database import Connection
from pipeline.warehouse.made import Made, MadeTable
from pipeline.warehouse.model import Model
from pipeline.warehouse.model_file import combined_sha256, tables_sha256
from pipeline.warehouse.people import Roster
from pipeline.warehouse.policy import PolicyFiles
from pipeline.warehouse.publishing import PUBLISHED
from pipeline.warehouse.roster_columns import RosterFormat
from pipeline.warehouse.rules import RuleInForce
from pipeline.warehouse.snapshots import Snapshot

__all__ = ["Inputs", "LoadedInputs", "load"]


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
class LoadedInputs:
    """What a build is called, and what was noted about its inputs. ``filled`` are the large tables."""

    build_id: str
    folder: str
    notes: Sequence[str]
    filled: Mapping[str, MadeTable]


def load(connection: Connection, models: Sequence[Model], given: Inputs, made: Made) -> LoadedInputs:
    """Fill reference, policy, roster and baseline, and record the build.

    Raises:
        ConfigurationError: a policy file or the roster is wrong.
        WarehouseError: the requested baseline does not exist.
    """
    return _Loader(connection, given, made).load(models)


@dataclass(frozen=True, slots=True)
class _Loader:
    connection: Connection
    given: Inputs
    made: Made
    notes: list[str] = field(default_factory=list)
    filled: dict[str, MadeTable] = field(default_factory=dict)

    def load(self, models: Sequence[Model]) -> LoadedInputs:
        given, snapshot = self.given, self.given.snapshot
        reference_sha256 = policy.load_reference(self.connection, given.policy_files.defaults)
        policy_sha256 = policy.load_policy(self.connection, given.policy_files)
        policy.check_rule_ids(self.connection, {rule.model.name for rule in given.rules})
        roster_name, roster_sha256 = self.load_people()
        load_rules(self.connection, given.rules)
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
        return LoadedInputs(build_id, folder, self.notes, self.filled)

    def load_people(self) -> tuple[str | None, str | None]:
        """Fill ``policy.roster``; return the name of its file or source, and the hash of its content."""
        given = self.given
        if given.roster is not None:
            self.notes.extend(given.roster.notes)
            if not self.made.holds("policy.roster", given.roster.identity):
                given.roster.copy_to(self.connection)
            self.filled["policy.roster"] = MadeTable(given.roster.identity, warnings=given.roster.remarks)
            return given.roster.path.name, given.roster.sha256
        if given.roster_source is not None:
            try:
                _, sha256 = provider.load_people(
                    self.connection, given.roster_source, given.snapshot.snapshot_id, given.snapshot.finished_at
                )
            except RosterError as error:
                if given.snapshot.completeness == "FULL":
                    raise
                self.notes.append(f"{error.message}; rules that need a roster are not evaluated")
            else:
                self.filled["policy.roster"] = MadeTable(f"{given.roster_source} {sha256}")
                return f"source {given.roster_source}", sha256
        self.connection.execute("delete from policy.roster")
        self.filled["policy.roster"] = MadeTable("")
        return None, None

    def default_baseline(self) -> str | None:
        """Return the snapshot to compare with unless the caller names one, or None."""
        snapshot = self.given.snapshot
        row = self.connection.execute(
            saved.statement("baseline", "choice"),
            {"snapshot_id": snapshot.snapshot_id, "finished_at": snapshot.finished_at},
        ).fetchone()
        return row[0] if row else None

    def fill_baseline(self, snapshot_id: str | None) -> None:
        for name in ("absences", "reports", "snapshot"):
            self.connection.execute(f"delete from baseline.{name}")
        built = {"snapshot_id": self.given.snapshot.snapshot_id}
        self.insert("absences", built | {"finished_at": self.given.snapshot.finished_at})
        self.insert("reports", built)
        if snapshot_id is not None:
            self.insert("snapshot", {"baseline_snapshot_id": snapshot_id})
            found = self.connection.execute("select count(*) from baseline.snapshot").fetchone()
            if found != (1,):
                raise WarehouseError(
                    f"the baseline '{snapshot_id}' was never built",
                    where="history.accounts",
                    hint=f"run 'access-review build --snapshot {snapshot_id}' first, or name another baseline",
                )
        for table in PUBLISHED:
            self.copy_published(table, snapshot_id)

    def insert(self, name: str, values: Mapping[str, object]) -> None:
        """Fill a table of ``baseline`` by the statement of that name."""
        statement = saved.statement("baseline", name)
        self.connection.execute(f"insert into baseline.{name} by name {statement}", dict(values))

    def copy_published(self, table: str, snapshot_id: str | None) -> None:
        """Fill a table of ``baseline`` with the rows that ``history`` has of a snapshot, unless it holds them."""
        identity = self.made.published(f"history.{table}", snapshot_id) if snapshot_id else ""
        self.filled[f"baseline.{table}"] = MadeTable(identity)
        if self.made.holds(f"baseline.{table}", identity):
            return
        self.connection.execute(f"delete from baseline.{table}")
        if snapshot_id is not None:
            keys = ", match_key(user_name) as user_name_key" if table == "accounts" else ""
            self.connection.execute(
                f"insert into baseline.{table} by name select * exclude (build_id, snapshot_id){keys} "
                f"from history.{table} where snapshot_id = $id",
                {"id": snapshot_id},
            )


def load_rules(connection: Connection, in_force: Sequence[RuleInForce]) -> None:
    """Fill ``reference.rules`` with the rules in force, and ``reference.rule_parameters`` with what peers need."""
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
        for rule in in_force
    ]
    parameters = [
        {"rule_id": rule.model.name, "parameter": name, "value": float(value)}
        for rule in in_force
        if rule.model.effects.compares
        for name, value in rule.parameters.items()
        if isinstance(value, int | float)
    ]
    policy.replace(connection, "reference.rules", rules)
    policy.replace(connection, "reference.rule_parameters", parameters)


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
