"""Judges: what a model promises about itself, and whether an extract is complete.

The completeness checks are ``sql/completeness/*.sql``, one check a file, and the observations that only the extractor
could make. Both end as rows of ``meta.reconciliation``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import duckdb

from pipeline.errors import ConfigurationError, ModelError
from pipeline.spool import Outcome
from pipeline.warehouse.database import Connection
from pipeline.warehouse.model import Model
from pipeline.wording import counted

__all__ = ["bound", "completeness", "verify_model"]


def bound(connection: Connection, statement: str, values: dict[str, object]) -> dict[str, object]:
    """Return only those values that the statement names: DuckDB refuses the others."""
    names = connection.extract_statements(statement)[0].named_parameters
    return {name: values[name] for name in names}


def completeness(
    connection: Connection, models: Sequence[Model], outcomes: Sequence[Outcome], snapshot_id: str, as_of: datetime
) -> tuple[str, str | None]:
    """Write this extract's rows of ``meta.reconciliation``; return FULL or PARTIAL, and the reason for PARTIAL.

    FULL needs every gate check to be PASS or NOT_AVAILABLE, every source to have finished, the end of the list of
    users to be proven, and, where the caller's role cannot be read, the source's own count to agree.
    """
    for outcome in outcomes:
        for seen in outcome.observations:
            connection.execute(
                "insert into meta.reconciliation values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                [
                    snapshot_id,
                    seen.check_id,
                    outcome.source,
                    seen.description,
                    seen.expected,
                    seen.observed,
                    seen.difference,
                    seen.result,
                    seen.explanation,
                    seen.is_gate,
                ],
            )
    _judge(connection, models, {"as_of": as_of, "snapshot_id": snapshot_id})
    reasons = [f"source '{o.source}': {o.error}" for o in outcomes if o.error]
    failed = connection.execute(
        """
        select source, explanation from meta.reconciliation
        where snapshot_id = $id and is_gate and result = 'FAIL' order by source, check_id
        """,
        {"id": snapshot_id},
    ).fetchall()
    # A caller whose role cannot be read is believed only where the source's own count agrees.
    unseen = connection.execute(
        """
        select caller.source, caller.explanation from meta.reconciliation as caller
        where caller.snapshot_id = $id and caller.check_id = 'caller_sees_everyone'
          and caller.result = 'NOT_AVAILABLE'
          and not exists (
              select 1 from meta.reconciliation as counted
              where counted.snapshot_id = $id and counted.source = caller.source
                and counted.check_id = 'count_agrees' and counted.result = 'PASS'
          )
        order by caller.source
        """,
        {"id": snapshot_id},
    ).fetchall()
    reasons += [f"source '{source}': {explanation}" for source, explanation in failed + unseen]
    proven = {
        o.source
        for o in outcomes
        for seen in o.observations
        if (seen.check_id, seen.result) == ("end_proven", "PASS")
    }
    reasons += [
        f"source '{o.source}': the end of the list of users was not proven"
        for o in outcomes
        if o.source not in proven and not o.error
    ]
    return ("PARTIAL", "; ".join(dict.fromkeys(reasons))) if reasons else ("FULL", None)


def _judge(connection: Connection, models: Sequence[Model], moment: dict[str, object]) -> None:
    """Run the checks, over tables of ``landed`` that are there only meanwhile: each record is parsed once for all."""
    landed = [model for model in models if model.schema == "landed"]
    connection.execute("create schema landed")
    for model in landed:
        statement = f"create table {model.table} as {model.sql}"
        _run(connection, model, statement, bound(connection, model.sql, moment))
    for model in models:
        if model.schema != "completeness":
            continue
        statement = f"""
            insert into meta.reconciliation
            select $snapshot_id, $check_id, source, $description, expected, observed, difference, result,
                   explanation, $is_gate
            from ({model.sql}
            ) as checked order by source
            """
        values = moment | {"check_id": model.name, "description": model.summary, "is_gate": model.is_gate}
        _run(connection, model, statement, bound(connection, statement, {**values, **model.params}))
    for model in landed:
        connection.execute(f"drop table {model.table}")  # one by one: after 'cascade' DuckDB refuses to commit
    connection.execute("drop schema landed")


def _run(connection: Connection, model: Model, statement: str, values: dict[str, object]) -> None:
    try:
        connection.execute(statement, values)
    except duckdb.Error as error:
        raise ModelError(
            f"the completeness check does not run: {error}", where=str(model.path), hint="correct the SQL"
        ) from error


def verify_model(connection: Connection, model: Model) -> list[str]:
    """Hold a built table to its header: columns, grain and declared checks. Return the warnings.

    Raises:
        ModelError: a column, the grain or a check of level ``fail`` does not hold.
        ConfigurationError: a check of level ``input`` found a mistake in a policy file.
    """
    where = str(model.path)
    if model.columns:
        built = [(name, kind.lower()) for name, kind, *_ in connection.execute(f"describe {model.table}").fetchall()]
        declared = [(column.name, column.type) for column in model.columns]
        if built != declared:
            wrong = sorted({*declared} ^ {*built}) or "their order"
            raise ModelError(
                f"{model.table} does not have the columns its header declares: {wrong}",
                where=where,
                hint="make [columns] and the closing select say the same, in the same order",
            )
    warnings = []
    try:
        if model.grain:
            _verify_grain(connection, model)
        found = [(check, connection.execute(check.sql).fetchall()) for check in model.checks]
    except duckdb.Error as error:
        raise ModelError(
            f"the grain or a check of {model.table} does not run: {error}", where=where, hint="correct the header"
        ) from error
    for check, rows in found:
        problems = [str(row[0]) for row in rows]
        if not problems:
            continue
        if check.level == "warn":
            warnings += problems
        elif check.level == "input":
            raise ConfigurationError(problems[0], where="policy folder", hint="correct that line")
        else:
            raise ModelError(
                f"{model.table}: {check.name.replace('_', ' ')}: {problems[0]}",
                where=where,
                hint="see the header's check",
            )
    return warnings


def _verify_grain(connection: Connection, model: Model) -> None:
    grain = ", ".join(model.grain)
    missing = " or ".join(f"{column} is null" for column in model.grain)
    # The keys themselves are compared: ids that differ in few places, as Sisense's do, often have the same hash.
    row = connection.execute(
        f"""
        select coalesce(sum(copies) filter (where is_missing), 0), count(*) filter (where copies > 1)
        from (
            select count(*) as copies, {missing} as is_missing from {model.table}
            group by {grain} having copies > 1 or is_missing
        ) as wrong
        """
    ).fetchone()
    nulls, twice = row or (0, 0)
    if nulls or twice:
        raise ModelError(
            f"{model.table} is not one row for each {grain}: {counted(nulls, 'row')} without it, "
            f"{counted(twice, 'value')} more than once",
            where=str(model.path),
            hint="correct the statement, or the grain in its header",
        )
