"""Our own count of licence seats beside the server's: a completeness check that only informs."""

from __future__ import annotations

import json

import pytest

from pipeline import resources
from pipeline.warehouse import database
from pipeline.warehouse.model_file import load_model
from pipeline.warehouse.policy import load_reference

#: An administrator, two viewers of whom one was invited by a role based on Viewer, and an account without a seat.
ACCOUNTS = "('s', '1', 'a', true), ('s', '2', 'v', true), ('s', '3', 'ours', true), ('s', '4', 'v', false)"
ROLES = "('s', 'a', 'Sys. Admin', null), ('s', 'v', 'consumer', null), ('s', 'ours', 'Ours', 'Viewer')"


@pytest.mark.parametrize(
    ("admins", "viewers", "result"), [(1, 2, "PASS"), (2, 1, "FAIL"), (1, 3, "FAIL"), (None, 2, "NOT_AVAILABLE")]
)
def test_seats_agree_by_class(admins: int | None, viewers: int, result: str) -> None:
    model = load_model(resources.sql() / "completeness" / "seats_agree.sql")
    answer = {"setting": "seats", "inUseAdmins": admins, "inUseDesigners": 0, "inUseViewers": viewers}
    with database.in_memory() as connection:
        load_reference(connection, resources.reference_data())
        connection.execute("create schema landed")
        for table, rows in (
            ("users", f"(values {ACCOUNTS}) as u(source, account_id, role_id, takes_seat)"),
            ("roles", f"(values {ROLES}) as r(source, role_id, role_name, base_role_name)"),
        ):
            connection.execute(f"create table landed.{table} as from {rows}")
        connection.execute(
            "create or replace table meta.sources as select 'n' as snapshot_id, 's' as source, 'sisense' as kind"
        )
        connection.execute(
            "insert into raw.posture values ('n', 's', 1, 1, 1, true, '2026-01-01', ?)", [json.dumps(answer)]
        )
        found = connection.execute(model.sql, {"snapshot_id": "n"}).fetchall()

    assert [(row[4], row[2]) for row in found] == [(result, "1 admin, 0 designer, 2 viewer")]
    assert not model.is_gate
