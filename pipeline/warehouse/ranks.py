"""Ranks the current roles of an instance with the models that rank them in a build."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline import resources
from pipeline.warehouse import database
from pipeline.warehouse.model_file import load_model
from pipeline.warehouse.policy import PolicyFiles, load_policy, load_reference

__all__ = ["RoleRanks", "role_ranks"]

_NOW = "now"


@dataclass(frozen=True, slots=True)
class RoleRanks:
    """The rank of each role by its id, 0 to 100 or None, and the lowest rank of each level by its name."""

    roles: dict[str, int | None]
    levels: dict[str, int]


def role_ranks(roles: Sequence[Mapping[str, Any]], files: PolicyFiles) -> RoleRanks:
    """Rank roles, given as records of the API.

    Raises:
        ConfigurationError: a policy file is wrong.
    """
    with database.in_memory() as connection:
        load_reference(connection, files.defaults)
        load_policy(connection, files)
        records = [
            {
                "snapshot_id": _NOW,
                "source": "",
                "sweep": 1,
                "page": 1,
                "ordinal": ordinal,
                "is_accepted": True,
                "fetched_at": datetime.min,  # noqa: DTZ901 - UTC without a zone, as the database has it
                "payload": json.dumps(role),
            }
            for ordinal, role in enumerate(roles, start=1)
        ]
        database.insert(connection, "raw.roles", records)
        for file in ("1_staging/roles.sql", "1_staging/role_permissions.sql", "2_graph/roles.sql"):
            model = load_model(resources.sql() / file)
            values = {"snapshot_id": _NOW} if "$snapshot_id" in model.sql else {}
            connection.execute(f"create table {model.table} as {model.sql}", values)
        return RoleRanks(
            dict(connection.execute("select role_id, role_rank from graph.roles").fetchall()),
            dict(connection.execute("select level, minimum_rank from reference.rank_levels").fetchall()),
        )
