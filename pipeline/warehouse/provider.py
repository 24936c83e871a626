"""An identity provider as the roster: the people in a source of kind ``scim``, ``okta`` or ``entra``."""

from __future__ import annotations

from datetime import datetime

from pipeline.errors import RosterError
from pipeline.warehouse import saved
from pipeline.warehouse.database import Connection

__all__ = ["load_people"]


def load_people(connection: Connection, source: str, snapshot_id: str, finished_at: datetime) -> tuple[int, str]:
    """Replace ``policy.roster`` by the provider's users; return how many there are and a hash of the rows.

    ``sql/roster/directory.sql`` says how a user becomes a person.

    Raises:
        RosterError: the snapshot has no user of that source.
    """
    connection.execute("delete from policy.roster")
    connection.execute(
        f"insert into policy.roster by name {saved.statement('roster', 'directory')}",
        {"source": source, "snapshot_id": snapshot_id, "finished_at": finished_at},
    )
    [(count, sha256)] = connection.execute(
        """select count(*), sha256(coalesce(string_agg(cast(to_json(people) as varchar), chr(10) order by "row"), ''))
        from policy.roster as people"""
    ).fetchall()
    if count == 0:
        raise RosterError(
            f"the snapshot has no users of '{source}', the source that [roster] names",
            where=snapshot_id,
            hint="extract all sources, or remove [roster] source",
        )
    return int(count), str(sha256)
