"""Holds a built table to the header of its model: its columns, its grain and its declared checks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import duckdb

from pipeline.errors import ConfigurationError, ModelError
from pipeline.warehouse.database import Connection
from pipeline.warehouse.executor import Executor
from pipeline.warehouse.model import Model
from pipeline.warehouse.statement import parameters_of
from pipeline.wording import counted

__all__ = ["bound", "verify_columns", "verify_grains", "verify_model"]

#: Tables of up to so many rows share one statement that checks their grains: planning takes longer than running it.
_FEW_ROWS = 10_000


def bound(connection: Connection, statement: str, values: dict[str, object]) -> dict[str, object]:
    """Return only the values that the statement names; DuckDB refuses others."""
    return {name: values[name] for name in parameters_of(statement, connection)}


def verify_model(model: Model, executor: Executor) -> list[str]:
    """Hold a built table to the checks that its header declares. Return the warnings.

    ``executor`` runs the checks, where the table was made.

    Raises:
        ModelError: a check of level ``fail`` does not hold.
        ConfigurationError: a check of level ``input`` found a mistake in a policy file.
    """
    where = str(model.path)
    warnings = []
    try:
        found = [(check, executor.rows(check.sql)) for check in model.checks]
    except duckdb.Error as error:
        raise ModelError(
            f"a check of {model.table} does not run: {error}", where=where, hint="correct the header"
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


def verify_columns(connection: Connection, models: Sequence[Model]) -> None:
    """Hold built tables to the columns that their headers declare, in one statement: each costs half a millisecond.

    Raises:
        ModelError: a table has other columns.
    """
    rows = connection.execute(
        """
        select schema_name || '.' || table_name, column_name, lower(data_type) from duckdb_columns()
        where not internal order by schema_name, table_name, column_index
        """
    ).fetchall()
    built: dict[str, list[tuple[str, str]]] = {}
    for table, name, kind in rows:
        built.setdefault(table, []).append((name, kind))
    for model in models:
        declared = [(column.name, column.type) for column in model.columns]
        found = built.get(model.table, [])
        if declared and found != declared:
            wrong = sorted({*declared} ^ {*found}) or "their order"
            raise ModelError(
                f"{model.table} does not have the columns its header declares: {wrong}",
                where=str(model.path),
                hint="make [columns] and the closing select say the same, in the same order",
            )


def verify_grains(
    executor: Executor, models: Sequence[Model], rows: Mapping[str, int], proven: Collection[str] = ()
) -> None:
    """Hold built tables to their grains, in the order of the models; ``rows`` are the numbers of rows by table.

    In the tables named in ``proven`` no two rows can have the same key; only nulls are looked for if they are large.

    Raises:
        ModelError: a grain does not hold, or has a column that the table lacks.
    """
    waiting: list[Model] = []
    for model in models:
        if not model.grain or not rows[model.table]:
            continue
        if rows[model.table] <= _FEW_ROWS:
            waiting.append(model)
            continue
        _verify_together(executor, waiting, _wrong_texts(waiting))
        _verify_together(executor, [model], _missing_keys(model) if model.table in proven else _wrong_keys(model))
        waiting = []
    _verify_together(executor, waiting, _wrong_texts(waiting))


def _verify_together(executor: Executor, models: Sequence[Model], wrong_keys: str) -> None:
    """Refuse the first model that has wrong keys. Each is (position of the model, copies, is_missing)."""
    if not models:
        return
    try:
        wrong = executor.rows(
            f"""
            select model, coalesce(sum(copies) filter (where is_missing), 0), count(*) filter (where copies > 1)
            from ({wrong_keys}) group by model order by model
            """
        )
    except duckdb.Error as error:
        raise ModelError(
            f"a grain does not run: {error}", where=", ".join(str(model.path) for model in models), hint="correct it"
        ) from error
    for position, nulls, twice in wrong:
        model = models[position]
        raise ModelError(
            f"{model.table} is not one row for each {', '.join(model.grain)}: {counted(nulls, 'row')} without it, "
            f"{counted(twice, 'value')} more than once",
            where=str(model.path),
            hint="correct the statement, or the grain in its header",
        )


def _wrong_keys(model: Model) -> str:
    # Compare the keys, not hashes of them: ids that differ in few places, as Sisense's do, often collide.
    missing = _is_missing(model)
    return f"""
        select 0 as model, count(*) as copies, {missing} as is_missing from {model.table}
        group by {", ".join(model.grain)} having copies > 1 or is_missing"""


def _missing_keys(model: Model) -> str:
    return f"select 0 as model, 1 as copies, true as is_missing from {model.table} where {_is_missing(model)}"


def _wrong_texts(models: Sequence[Model]) -> str:
    """Return the select for small tables: one grouping of all their keys as text, not one for each table."""
    keys = (
        f"select {position} as model, [{', '.join(f'cast({column} as varchar)' for column in model.grain)}] as key, "
        f"{_is_missing(model)} as is_missing from {model.table}"
        for position, model in enumerate(models)
    )
    return f"""
        select model, count(*) as copies, is_missing from ({" union all ".join(keys)})
        group by model, key, is_missing having copies > 1 or is_missing"""


def _is_missing(model: Model) -> str:
    return " or ".join(f"{column} is null" for column in model.grain)
