"""Checks whether an extract is complete: FULL, or PARTIAL with the reasons.

The checks are ``sql/completeness/*.sql``, one in each file, and the observations that only the extractor could make.
Both become rows of ``meta.reconciliation``; ``sql/landing/verdict.sql`` decides by them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import duckdb

from pipeline.errors import ModelError
from pipeline.spool import Observation, SourceOutcome
from pipeline.warehouse import checks, database, saved
from pipeline.warehouse.connection import limit_memory
from pipeline.warehouse.database import Connection
from pipeline.warehouse.model import Model
from pipeline.warehouse.plan import order
from pipeline.warehouse.snapshots import Snapshot

__all__ = ["MEMORY_BYTES", "check", "note_left_out"]

#: Memory for landing and its checks, in bytes; DuckDB puts the rest on disk. A million accounts land in half of it.
MEMORY_BYTES = 512 * 1024 * 1024
#: Records that are checked within that, and bytes for each one more. Ten million need more than 750 MB: DuckDB cannot
#: put everything that compares them on disk.
_RECORDS = 1_000_000
_RECORD_BYTES = 256
#: What they get at most: the records of ten million accounts were checked within it.
_MOST_BYTES = 2_800_000_000
#: Memory that DuckDB needs to read one byte of JSON, measured at 4.7 for groups that list their members.
_PARSED_BYTES = 5


def check(
    connection: Connection, models: Sequence[Model], outcomes: Sequence[SourceOutcome], snapshot: Snapshot
) -> None:
    """Write this extract's rows of ``meta.reconciliation``, and set its completeness and the reason for PARTIAL.

    Raises:
        ModelError: a check does not run.
    """
    observations = [
        _reconciliation(snapshot.snapshot_id, outcome.source, seen)
        for outcome in outcomes
        for seen in outcome.observations
    ]
    database.insert(connection, "meta.reconciliation", observations)
    _make_room(connection, snapshot.snapshot_id)
    _run_checks(connection, models, {"as_of": snapshot.as_of, "snapshot_id": snapshot.snapshot_id})
    verdict = saved.statement("landing", "verdict")
    connection.execute(
        f"update meta.snapshots set completeness = verdict.completeness, reason = verdict.reason"
        f" from ({verdict}) as verdict where snapshot_id = $snapshot_id",
        {"snapshot_id": snapshot.snapshot_id},
    )


def note_left_out(connection: Connection, snapshot_id: str, sources: Sequence[str]) -> None:
    """Note in the reconciliation that configured sources were left out on purpose; this never makes it PARTIAL."""
    left_out = Observation(
        check_id="source_extracted",
        description="Every configured source is part of the extract.",
        expected="extracted",
        observed="not extracted",
        difference=None,
        result="FAIL",
        explanation="This source is configured, and was left out.",
        is_gate=False,
    )
    rows = [_reconciliation(snapshot_id, source, left_out) for source in sources]
    database.insert(connection, "meta.reconciliation", rows)


def _make_room(connection: Connection, snapshot_id: str) -> None:
    """Raise the limit of memory for records so long that reading a few needs more than is left, and for millions."""
    statement = saved.statement("landing", "vector_bytes")
    ((most_bytes, record_count),) = connection.execute(statement, {"snapshot_id": snapshot_id}).fetchall()
    at_once = _PARSED_BYTES * int(most_bytes) * (os.cpu_count() or 1)
    compared = min(max(0, int(record_count) - _RECORDS) * _RECORD_BYTES, _MOST_BYTES - MEMORY_BYTES)
    limit_memory(connection, MEMORY_BYTES + at_once + compared)


def _reconciliation(snapshot_id: str, source: str, seen: Observation) -> dict[str, object]:
    return {
        "snapshot_id": snapshot_id,
        "check_id": seen.check_id,
        "source": source,
        "description": seen.description,
        "expected": seen.expected,
        "observed": seen.observed,
        "difference": seen.difference,
        "result": seen.result,
        "explanation": seen.explanation,
        "is_gate": seen.is_gate,
    }


def _run_checks(connection: Connection, models: Sequence[Model], moment: dict[str, object]) -> None:
    """Run the checks over the tables of ``landed``, so that each record is parsed once for all of them.

    The tables are temporary, which saves compressing them and leaves no empty space in the file; views name them.
    """
    made = [model for model in models if model.schema == "landed"]
    lasting = frozenset(table for model in made for table in model.reads if not table.startswith("landed."))
    landed = order(made, lasting)
    connection.execute("create schema landed")
    for model in landed:
        statement = f"create temp table landed_{model.name} as {model.sql}"
        _run(connection, model, statement, checks.bound(connection, model.sql, moment))
        connection.execute(f"create view {model.table} as from temp.landed_{model.name}")
    for model in models:
        if model.schema != "completeness":
            continue
        check_id, others = "$check_id", "*"
        if model.each:
            check_id, others = f"checked.{model.each} || '_' || $check_id", f"* exclude ({model.each})"
        statement = f"""
            insert into meta.reconciliation by name
            select $snapshot_id as snapshot_id, {check_id} as check_id, $description as description,
                $is_gate as is_gate, checked.{others} from ({model.sql}
            ) as checked order by source, check_id
            """
        values = moment | {"check_id": model.name, "description": model.summary, "is_gate": model.is_gate}
        _run(connection, model, statement, checks.bound(connection, statement, {**values, **model.params}))
    for model in reversed(landed):  # one by one: after 'cascade' DuckDB refuses to commit
        connection.execute(f"drop view {model.table}")
        connection.execute(f"drop table temp.landed_{model.name}")
    connection.execute("drop schema landed")


def _run(connection: Connection, model: Model, statement: str, values: dict[str, object]) -> None:
    try:
        connection.execute(statement, values)
    except duckdb.OutOfMemoryException:
        raise  # the statement is right
    except duckdb.Error as error:
        raise ModelError(
            f"the completeness check does not run: {error}", where=str(model.path), hint="correct the SQL"
        ) from error
