"""The union of all rules: ``findings.register`` has what failed, ``findings.rule_summary`` what each rule counted."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from pipeline.errors import ModelError
from pipeline.warehouse import checks
from pipeline.warehouse.database import Connection
from pipeline.warehouse.model import SEVERITIES, Model
from pipeline.warehouse.rules import RuleInForce

__all__ = ["add", "add_disabled", "create"]

#: What a rule may return beside its grain and verdict.
_OPTIONAL = ("severity", "account_id", "detail", "observed_value", "threshold", "evidence")
#: What a finding is about: the first of these that its grain has, with its type in SQL, else the source itself.
_SUBJECTS = (
    ("subject_id", "judged.subject_type"),
    ("account_id", "'account'"),
    ("person_id", "'person'"),
    ("group_id", "'group'"),
    ("role_id", "'role'"),
)


def create(connection: Connection) -> None:
    """Make both tables, empty."""
    connection.execute(
        """
        create table findings.register (
            finding_id varchar not null, rule_id varchar not null, severity varchar not null, source varchar,
            subject_type varchar not null, subject_id varchar not null, account_id varchar, email varchar,
            title varchar not null, detail varchar not null, observed_value varchar, threshold varchar,
            evidence json, controls varchar not null, recommended_action varchar not null, status varchar not null,
            first_seen_snapshot_id varchar not null
        );
        comment on table findings.register is
            'One finding: a member of a rule''s population that fails it. Excused findings stay, with their status.';
        create table findings.rule_summary (
            rule_id varchar not null, title varchar not null, summary varchar not null, severity varchar not null,
            enabled boolean not null, parameters varchar not null, population bigint, failed bigint, unknown bigint,
            passed bigint, controls varchar not null, remediation varchar not null, sql_sha256 varchar not null
        );
        comment on table findings.rule_summary is
            'One rule and what it counted: population = passed + failed + unknown. Null where it is switched off.';
        """
    )


def add(connection: Connection, rule: RuleInForce, values: Mapping[str, object]) -> None:
    """Add one rule's findings and counts; its table ``findings.<rule_id>`` has been built.

    Raises:
        ModelError: it judged something outside its population, gave a verdict that is none, or its population is not
            one row for each key.
    """
    model = rule.model
    keys = _population(connection, model, values)
    joined = " and ".join(f"judged.{key} = population.{key}" for key in keys)
    _refuse(
        connection,
        model,
        f"select count(*) from {model.table} as judged anti join population on {joined}",
        "judges rows that are not in its population",
    )
    _refuse(
        connection,
        model,
        f"select count(*) from {model.table} where verdict is null or verdict not in ('failed', 'unknown')",
        "gives verdicts other than 'failed' and 'unknown'",
    )
    try:
        _add_findings(connection, rule)
        _add_counts(connection, rule, keys)
    except duckdb.Error as error:
        raise ModelError(
            f"the findings of {model.name} do not fit the register: {error}",
            where=str(model.path),
            hint="correct the columns beside the grain",
        ) from error
    _refuse(
        connection,
        model,
        f"select count(*) from findings.register where rule_id = '{model.name}' and severity not in {SEVERITIES}",
        "gives severities that are none",
    )
    connection.execute("drop table population")


def add_disabled(connection: Connection, rule: RuleInForce) -> None:
    """Add a rule that is switched off: it judged nobody, and the reports say so."""
    _insert_counts(connection, rule, "null, null, null, null", "")


def _population(connection: Connection, model: Model, values: Mapping[str, object]) -> list[str]:
    """Make the temporary table ``population``; return its key columns."""
    try:
        connection.execute(
            f"create or replace temp table population as {model.population}",
            checks.bound(connection, model.population, dict(values)),
        )
    except duckdb.Error as error:
        raise ModelError(
            f"the population of {model.name} does not run: {error}", where=str(model.path), hint="correct it"
        ) from error
    keys = [row[0] for row in connection.execute("describe population").fetchall()]
    if not set(keys) <= set(model.grain):
        raise ModelError(
            f"the population of {model.name} has columns that its grain has not: {keys}",
            where=str(model.path),
            hint="select only columns of the grain",
        )
    listed = ", ".join(keys)
    _refuse(
        connection,
        model,
        f"select count(*) from (select {listed} from population group by {listed} having count(*) > 1"
        f" or {' or '.join(f'{key} is null' for key in keys)})",
        "has a population with missing or repeated keys",
    )
    return keys


def _refuse(connection: Connection, model: Model, statement: str, what: str) -> None:
    row = connection.execute(statement).fetchone()
    if row and row[0]:
        raise ModelError(
            f"the rule {model.name} {what} ({row[0]} rows)",
            where=str(model.path),
            hint="let population and statement say the same",
        )


def _add_findings(connection: Connection, rule: RuleInForce) -> None:
    model = rule.model
    present = {row[0] for row in connection.execute(f"describe {model.table}").fetchall()}
    column = {name: f"judged.{name}" if name in present else "null" for name in _OPTIONAL}
    subject, subject_type = next((pair for pair in _SUBJECTS if pair[0] in model.grain), ("source", "'source'"))
    source = "judged.source" if "source" in model.grain else "null"
    grain = ", ".join(f"judged.{key}" for key in model.grain)
    connection.execute(
        f"""
        insert into findings.register
        with excused as (
            select policy, rule_id, source, subject_type, subject_id from graph.policy_subjects where is_in_force
        ),

        first_seen as (
            select finding_id, min(snapshot_id) as snapshot_id from history.register
            where rule_id = $rule_id and snapshot_id < (select snapshot_id from reference.snapshot)
            group by finding_id
        ),

        failed as (
            select substr(sha256(concat_ws(chr(31), $rule_id, {grain})), 1, 16) as finding_id,
                   coalesce($severity, {column["severity"]}, $base_severity) as severity,
                   nullif({source}, '') as source, {subject_type} as subject_type,
                   judged.{subject}::varchar as subject_id,
                   {column["account_id"]}::varchar as account_id,
                   coalesce({column["detail"]}, $summary) as detail,
                   {column["observed_value"]}::varchar as observed_value, {column["threshold"]}::varchar as threshold,
                   {column["evidence"]}::json as evidence
            from {model.table} as judged
            where judged.verdict = 'failed'
        )

        select failed.finding_id, $rule_id, failed.severity, failed.source, failed.subject_type, failed.subject_id,
               failed.account_id, accounts.email, $title, failed.detail, failed.observed_value, failed.threshold,
               failed.evidence, $controls, $remediation,
               case
                   when exists (
                       select 1 from excused
                       where excused.policy = 'out_of_scope' and excused.subject_type = 'account'
                         and excused.source = failed.source and excused.subject_id = failed.account_id
                   ) then 'out_of_scope'
                   when exists (
                       select 1 from excused
                       where excused.policy = 'exceptions' and excused.rule_id = $rule_id
                         and excused.subject_type = failed.subject_type
                         and excused.source = coalesce(failed.source, '')  -- a person belongs to no source
                         and excused.subject_id = failed.subject_id
                   ) then 'accepted_risk'
                   else 'open'
               end,
               coalesce(first_seen.snapshot_id, (select snapshot_id from reference.snapshot))
        from failed
        left join graph.accounts as accounts
            on accounts.source = failed.source and accounts.account_id = failed.account_id
        left join first_seen on first_seen.finding_id = failed.finding_id
        """,
        {
            "rule_id": model.name,
            "severity": rule.severity,
            "base_severity": model.severity,
            "summary": model.summary,
            "title": model.title,
            "controls": rule.controls_text,
            "remediation": model.remediation,
        },
    )


def _add_counts(connection: Connection, rule: RuleInForce, keys: list[str]) -> None:
    listed = ", ".join(keys)
    joined = " and ".join(f"members.{key} = population.{key}" for key in keys)
    _insert_counts(
        connection,
        rule,
        """
        count(*), count(*) filter (where members.has_failed), count(*) filter (where not members.has_failed),
        count(*) filter (where members.has_failed is null)
        """,
        f"""
        from population
        left join (
            select {listed}, bool_or(verdict = 'failed') as has_failed from {rule.model.table} group by {listed}
        ) as members on {joined}
        """,
    )


def _insert_counts(connection: Connection, rule: RuleInForce, counts: str, source: str) -> None:
    connection.execute(
        f"""
        insert into findings.rule_summary
        select $rule_id, $title, $summary, $severity, $enabled, $parameters, {counts}, $controls, $remediation,
               $sql_sha256
        {source}
        """,
        {
            "rule_id": rule.model.name,
            "title": rule.model.title,
            "summary": rule.model.summary,
            "severity": rule.severity or rule.model.severity,
            "enabled": rule.is_enabled,
            "parameters": rule.parameters_text,
            "controls": rule.controls_text,
            "remediation": rule.model.remediation,
            "sql_sha256": rule.model.sha256,
        },
    )
