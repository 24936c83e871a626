"""Holds a built table to the header of its model: its columns, its grain and its declared checks."""

from __future__ import annotations

import duckdb

from pipeline.errors import ConfigurationError, ModelError
from pipeline.warehouse.database import Connection
from pipeline.warehouse.model import Model
from pipeline.warehouse.statement import parameters_of
from pipeline.wording import counted

__all__ = ["bound", "verify_model"]


def bound(connection: Connection, statement: str, values: dict[str, object]) -> dict[str, object]:
    """Return only the values that the statement names; DuckDB refuses others."""
    return {name: values[name] for name in parameters_of(statement, connection)}


def verify_model(connection: Connection, model: Model, row_count: int) -> list[str]:
    """Hold a built table with this many rows to its header: columns, grain and declared checks. Return the warnings.

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
        if model.grain and row_count:
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
                hint="correct the data or the check in the header",
            )
    return warnings


def _verify_grain(connection: Connection, model: Model) -> None:
    grain = ", ".join(model.grain)
    missing = " or ".join(f"{column} is null" for column in model.grain)
    # Compare the keys, not hashes of them: ids that differ in few places, as Sisense's do, often collide.
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
