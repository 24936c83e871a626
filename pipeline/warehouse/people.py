"""The people of a roster file, read and checked once, and kept until builds take them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from pipeline.errors import RosterError
from pipeline.warehouse import database
from pipeline.warehouse.database import Connection
from pipeline.warehouse.roster import load_roster
from pipeline.warehouse.roster_columns import RosterFormat

__all__ = ["Roster", "read_roster"]


@dataclass(frozen=True, slots=True)
class Roster:
    """A roster file that was read. ``sha256`` is of its bytes; ``notes`` say what was left unread or decided.

    ``people`` is an in-memory database, parts of which may be on the disk: columns take less room there than Python
    objects do.
    """

    path: Path
    format: RosterFormat
    count: int
    sha256: str | None
    notes: tuple[str, ...]
    people: Connection

    def copy_to(self, connection: Connection) -> None:
        """Replace ``policy.roster`` of another database by these people."""
        rows = self.people.table("policy.roster")
        connection.execute("delete from policy.roster")
        connection.register("roster_rows", SimpleNamespace(__arrow_c_stream__=rows.__arrow_c_stream__))
        connection.execute("insert into policy.roster by name select * from roster_rows")
        connection.unregister("roster_rows")


@contextmanager
def read_roster(path: Path, wanted: RosterFormat | None = None, *, spill: Path | None = None) -> Iterator[Roster]:
    """Read and check a roster file, and keep its people while the block runs.

    ``spill`` is a folder that is made, and removed at the end, if the people do not fit into the memory for them.

    Raises:
        RosterError: the file cannot be read, a line of it is wrong, or the disk is full; every wrong line is named,
            up to ten.
    """
    notes: list[str] = []
    with database.in_memory(only="policy.roster", spill=spill) as people:
        try:
            count, sha256 = load_roster(people, path, wanted, note=notes.append)
        except database.NO_ROOM as error:
            raise RosterError(
                f"there is no room for the roster: {str(error).splitlines()[0]}",
                where=str(path),
                hint="free some space on the disk of the database, then run this again",
            ) from error
        yield Roster(path, wanted or RosterFormat(), count, sha256, tuple(notes), people)
