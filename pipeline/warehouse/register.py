"""The union of all rules: ``findings.register`` has what failed, ``findings.rule_summary`` what each rule counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import duckdb

from pipeline.errors import ModelError
from pipeline.warehouse import checks
from pipeline.warehouse.database import Connection
from pipeline.warehouse.model import SEVERITIES, Model
from pipeline.warehouse.rules import RuleInForce
from pipeline.wording import counted

__all__ = ["create", "fill", "subject"]

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
            subject_type varchar not null, subject_id varchar not null, display_name varchar, account_id varchar,
            email varchar,
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


def fill(
    connection: Connection, rules: Sequence[RuleInForce], values: Callable[[Model], Mapping[str, object]]
) -> None:
    """Unite the rules, whose tables ``findings.<rule_id>`` have been built; ``values`` gives what a model may bind.

    Raises:
        ModelError: a rule judged something outside its population, gave a verdict or a severity that is none, or its
            population is not one row for each key.
    """
    sound: set[str] = set()  # populations that several rules share are looked at once
    for rule in rules:
        if rule.is_enabled:
            _add_counts(connection, rule, values(rule.model), sound)
        else:
            _insert_summary(connection, rule, (None, None, None, None))
    enabled = [rule for rule in rules if rule.is_enabled]
    if enabled:
        _add_findings(connection, enabled)
    _refuse_severities(connection, enabled)


def _add_counts(connection: Connection, rule: RuleInForce, values: Mapping[str, object], sound: set[str]) -> None:
    """Hold a rule to its population, and count it, in one pass over the one and one over the other."""
    model = rule.model
    bound = checks.bound(connection, model.population, dict(values))
    try:
        shape = connection.execute(f"select * from ({model.population}\n) limit 0", bound)
        keys = [column[0] for column in shape.description]
        if not set(keys) <= set(model.grain):
            raise ModelError(
                f"the population of {model.name} has columns that its grain has not: {keys}",
                where=str(model.path),
                hint="select only columns of the grain",
            )
        judged, failed, wrong = _verdicts(connection, model, keys)
        _refuse(model, wrong, "gives verdicts other than 'failed' and 'unknown'")
        signature = repr((model.population, bound))
        population, repeated, found = _population(connection, model, keys, bound, judged, signature in sound)
    except duckdb.Error as error:
        raise ModelError(
            f"the population of {model.name} does not run: {error}", where=str(model.path), hint="correct it"
        ) from error
    _refuse(model, repeated, "has a population with missing or repeated keys")
    sound.add(signature)
    _refuse(model, judged - found, "judges rows that are not in its population")
    _insert_summary(connection, rule, (population, failed, judged - failed, population - judged))


def _verdicts(connection: Connection, model: Model, keys: list[str]) -> tuple[int, int, int]:
    """Return how many members of the population the rule judged, how many of them fail, and its invalid verdicts."""
    members = _members(model, keys)
    row = connection.execute(
        f"select count(*), count(*) filter (where has_failed), coalesce(sum(wrong), 0) from {members}"
    ).fetchone()
    judged, failed, wrong = row or (0, 0, 0)
    return int(judged), int(failed), int(wrong)


def _members(model: Model, keys: list[str]) -> str:
    wrong = "verdict is null or verdict not in ('failed', 'unknown')"
    listed = ", ".join(keys)
    if set(keys) == set(model.grain):  # the grain has been checked: one row is one member
        return f"""(
            select {listed}, verdict = 'failed' as has_failed, cast({wrong} as integer) as wrong from {model.table}
        )"""
    return f"""(
        select {listed}, bool_or(verdict = 'failed') as has_failed, count(*) filter (where {wrong}) as wrong
        from {model.table} group by {listed}
    )"""


def _population(
    connection: Connection, model: Model, keys: list[str], bound: dict[str, object], judged: int, is_sound: bool
) -> tuple[int, int, int]:
    """Return the size of the population, how many of its keys are missing or repeated, and how many were judged."""
    missing = " or ".join(f"population.{key} is null" for key in keys)
    copies = "1 as copies" if is_sound else "count(*) as copies"
    grouped = "" if is_sound else "group by all"
    population = f"(select {', '.join(keys)}, {copies} from ({model.population}\n) as listed {grouped})"
    on = " and ".join(f"members.{key} = population.{key}" for key in keys)
    joined = f"left join {_members(model, keys)} as members on {on}" if judged else ""
    found = "count(members.has_failed)" if judged else "0"
    row = connection.execute(
        f"""
        select coalesce(sum(copies), 0), count(*) filter (where copies > 1 or {missing}), {found}
        from {population} as population {joined}
        """,
        bound,
    ).fetchone()
    size, repeated, known = row or (0, 0, 0)
    return int(size), int(repeated), int(known)


def _refuse(model: Model, rows: int, what: str) -> None:
    if rows:
        raise ModelError(
            f"the rule {model.name} {what} ({counted(rows, 'row')})",
            where=str(model.path),
            hint="let population and statement say the same",
        )


def _refuse_severities(connection: Connection, rules: Sequence[RuleInForce]) -> None:
    wrong = connection.execute(
        f"select rule_id, count(*) from findings.register where severity not in {SEVERITIES} group by 1 order by 1"
    ).fetchall()
    models = {rule.model.name: rule.model for rule in rules}
    for rule_id, rows in wrong:
        _refuse(models[rule_id], rows, "gives severities that are none")


def _add_findings(connection: Connection, rules: Sequence[RuleInForce]) -> None:
    """Write the register in one statement: accounts, exceptions and history are joined once, not rule by rule."""
    values = {f"rule_{position}": rule.model.name for position, rule in enumerate(rules)}
    failed = [_failed(connection, rule, f"rule_{position}") for position, rule in enumerate(rules)]
    try:
        connection.execute(
            _REGISTER.format(failed="\n            union all".join(failed), severities=list(SEVERITIES)), values
        )
    except duckdb.Error as error:
        raise _misfit(connection, rules, failed, error) from error


#: What all rules found, with what is known about it: filled with the union of the rules' own rows.
_REGISTER = """
    insert into findings.register
    with failed as ({failed}
    ),

    out_of_scope as (
        select distinct subject_type, source, subject_id from graph.policy_subjects
        where policy = 'out_of_scope' and is_in_force
    ),

    accepted as (
        select distinct rule_id, subject_type, source, subject_id from graph.policy_subjects
        where policy = 'exceptions' and is_in_force
    ),

    -- What each rule says now of each subject, for the rule about exceptions from it.
    severities as (
        select rule_id, subject_type, coalesce(source, '') as source, subject_id,
               arg_min(severity, list_position({severities}, severity)) as severity
        from (
            select failed.* replace (coalesce(failed.severity, rule.severity) as severity)
            from failed
            join findings.rule_summary as rule on rule.rule_id = failed.rule_id
        ) as judged
        group by all
    ),

    -- A person is out of scope when every account of theirs is.
    people_out as (
        select accounts.person_id from graph.accounts as accounts
        left join out_of_scope
            on out_of_scope.subject_type = 'account' and out_of_scope.source = accounts.source
            and out_of_scope.subject_id = accounts.account_id
        where accounts.person_id is not null
        group by accounts.person_id
        having bool_and(out_of_scope.subject_id is not null)
    ),

    first_seen as (
        select finding_id, min(snapshot_id) as snapshot_id from history.register
        where snapshot_id < (select snapshot_id from reference.snapshot)
        group by finding_id
    )

    select failed.finding_id, failed.rule_id, coalesce(severities.severity, failed.severity, rule.severity),
           failed.source, failed.subject_type, failed.subject_id,
           coalesce(
               accounts.display_name, people.display_name, people.email, groups.group_name, roles.role_display_name
           ),
           failed.account_id, coalesce(accounts.email, people.email), rule.title,
           coalesce(failed.detail, rule.summary), failed.observed_value, failed.threshold, failed.evidence,
           rule.controls, rule.remediation,
           case
               when out_of_scope.subject_id is not null or accounts_out.subject_id is not null
                   or people_out.person_id is not null then 'out_of_scope'
               when accepted.subject_id is not null then 'accepted_risk'
               else 'open'
           end,
           coalesce(first_seen.snapshot_id, (select snapshot_id from reference.snapshot))
    from failed
    join findings.rule_summary as rule on rule.rule_id = failed.rule_id
    left join graph.accounts as accounts
        on accounts.source = failed.source and accounts.account_id = failed.account_id
    left join graph.people as people on failed.subject_type = 'person' and people.person_id = failed.subject_id
    left join graph.groups as groups
        on failed.subject_type = 'group' and groups.source = failed.source and groups.group_id = failed.subject_id
    left join graph.roles as roles
        on failed.subject_type = 'role' and roles.source = failed.source and roles.role_id = failed.subject_id
    left join people_out on failed.subject_type = 'person' and people_out.person_id = failed.subject_id
    left join out_of_scope as accounts_out
        on accounts_out.subject_type = 'account' and accounts_out.source = failed.source
        and accounts_out.subject_id = failed.account_id
    left join out_of_scope
        on out_of_scope.subject_type = failed.subject_type and out_of_scope.source = coalesce(failed.source, '')
        and out_of_scope.subject_id = failed.subject_id
    left join severities
        on severities.rule_id = failed.excused_rule_id and severities.subject_type = failed.subject_type
        and severities.source = coalesce(failed.source, '') and severities.subject_id = failed.subject_id
    left join accepted
        on accepted.rule_id = failed.rule_id and accepted.subject_type = failed.subject_type
        and accepted.source = coalesce(failed.source, '')  -- a person belongs to no source
        and accepted.subject_id = failed.subject_id
    left join first_seen on first_seen.finding_id = failed.finding_id
"""


def subject(model: Model) -> tuple[str, str]:
    """Return the column that says what a finding of this rule is about, and the kind of thing, as SQL."""
    return next((pair for pair in _SUBJECTS if pair[0] in model.grain), ("source", "'source'"))


def _failed(connection: Connection, rule: RuleInForce, parameter: str) -> str:
    """Return the select of one rule's failed rows, in the columns that all rules have in common."""
    model = rule.model
    present = {row[0] for row in connection.execute(f"describe {model.table}").fetchall()}
    column = {name: f"judged.{name}" if name in present else "null" for name in _OPTIONAL}
    if rule.severity is not None:  # the configuration's severity is every row's
        column["severity"] = "null"
    # a rule about exceptions takes over what the excused finding is now, unless the configuration says otherwise
    takes_over = "excused_rule_id" in model.grain and rule.severity is None
    key, subject_type = subject(model)
    source = "judged.source" if "source" in model.grain else "null"
    grain = ", ".join(f"judged.{key}" for key in model.grain)
    return f"""
            select substr(sha256(concat_ws(chr(31), ${parameter}, {grain})), 1, 16) as finding_id,
                   ${parameter} as rule_id, {column["severity"]}::varchar as severity,
                   nullif({source}, '')::varchar as source, {subject_type} as subject_type,
                   judged.{key}::varchar as subject_id, {column["account_id"]}::varchar as account_id,
                   {column["detail"]}::varchar as detail, {column["observed_value"]}::varchar as observed_value,
                   {column["threshold"]}::varchar as threshold, {column["evidence"]}::json as evidence,
                   {"judged.excused_rule_id" if takes_over else "null"}::varchar as excused_rule_id
            from {model.table} as judged
            where judged.verdict = 'failed'"""


def _misfit(
    connection: Connection, rules: Sequence[RuleInForce], failed: Sequence[str], error: duckdb.Error
) -> ModelError:
    """Find the rule whose rows the register refuses: the statement for all of them does not say which it was."""
    culprit = rules[0].model
    for position, (rule, rows) in enumerate(zip(rules, failed, strict=True)):
        culprit = rule.model
        try:
            connection.execute(f"create or replace temp table misfit as {rows}", {f"rule_{position}": culprit.name})
        except duckdb.Error as own:
            error = own
            break
    return ModelError(
        f"the findings of {culprit.name} do not fit the register: {error}",
        where=str(culprit.path),
        hint="correct the columns beside the grain",
    )


def _insert_summary(
    connection: Connection, rule: RuleInForce, counts: tuple[int | None, int | None, int | None, int | None]
) -> None:
    population, failed, unknown, passed = counts
    connection.execute(
        "insert into findings.rule_summary values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        [
            rule.model.name,
            rule.model.title,
            rule.model.summary,
            rule.severity or rule.model.severity,
            rule.is_enabled,
            rule.parameters_text,
            population,
            failed,
            unknown,
            passed,
            rule.controls_text,
            rule.model.remediation,
            rule.model.sha256,
        ],
    )
