"""How powerful the roles of an instance are as they are now, by the very models that rank them in a build."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline import resources
from pipeline.warehouse import database
from pipeline.warehouse.model_file import load_model
from pipeline.warehouse.policy import PolicyFiles, load_policy, load_reference

__all__ = ["role_ranks"]

_NOW = "now"


def role_ranks(roles: Sequence[Mapping[str, Any]], files: PolicyFiles) -> dict[str, int | None]:
    """Return the rank of each role, 0 to 100, by its id, from the API's records; null where nothing ranks it.

    Raises:
        ConfigurationError: a policy file is wrong.
    """
    with database.in_memory() as connection:
        load_reference(connection, files.defaults)
        load_policy(connection, files)
        connection.execute(
            """
            insert into raw.roles by name
            select
                $snapshot_id as snapshot_id, '' as source, 1 as sweep, 1 as page, true as is_accepted,
                '2000-01-01'::timestamp as fetched_at, generate_subscripts($payloads::varchar[], 1) as ordinal,
                unnest($payloads::varchar[])::json as payload
            """,
            {"snapshot_id": _NOW, "payloads": [json.dumps(role) for role in roles]},
        )
        for folder, schema, values in (("1_staging", "staging", {"snapshot_id": _NOW}), ("2_graph", "graph", {})):
            model = load_model(resources.sql() / folder / "roles.sql")
            connection.execute(f"create table {schema}.roles as {model.sql}", values)
        return dict(connection.execute("select role_id, role_rank from graph.roles").fetchall())
