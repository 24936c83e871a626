"""The people of a roster file, read and checked once, and kept until builds take them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from pipeline.errors import RosterError
from pipeline.warehouse import database, made
from pipeline.warehouse.connection import reason_of
from pipeline.warehouse.database import Connection
from pipeline.warehouse.identities import program
from pipeline.warehouse.roster import load_roster
from pipeline.warehouse.roster_columns import RosterFormat

__all__ = ["TABLE", "Roster", "read_roster", "unchanged_roster"]

TABLE = "policy.roster"


@dataclass(frozen=True, slots=True)
class Roster:
    """A roster file without mistakes. ``sha256`` is of its bytes; ``remarks`` say what was left unread or decided.

    ``people`` is an in-memory database, parts of which may be on the disk: columns take less room there than Python
    objects do. If the current build has the people already, the file was not read: ``people`` and ``count`` are None.
    """

    path: Path
    format: RosterFormat
    count: int | None
    sha256: str | None
    remarks: tuple[str, ...]
    people: Connection | None

    @property
    def notes(self) -> tuple[str, ...]:
        """Return the remarks, each with the name of the file."""
        return tuple(f"{self.path.name}: {remark}" for remark in self.remarks)

    @property
    def identity(self) -> str:
        """Return what the people depend on: the program, the bytes, and the format in which they are read."""
        return _identity(self.sha256, self.format)

    def copy_to(self, connection: Connection) -> None:
        """Replace ``policy.roster`` of another database by these people.

        Raises:
            RosterError: the file had not been read, and it is another now.
        """
        if self.people is None:
            with read_roster(self.path, self.format) as read:
                if read.sha256 != self.sha256:
                    raise RosterError(
                        "the roster was changed during the build", where=str(self.path), hint="run this again"
                    )
                read.copy_to(connection)
            return
        rows = self.people.table(TABLE)
        connection.execute(f"delete from {TABLE}")
        connection.register("roster_rows", SimpleNamespace(__arrow_c_stream__=rows.__arrow_c_stream__))
        connection.execute(f"insert into {TABLE} by name select * from roster_rows")
        connection.unregister("roster_rows")


@contextmanager
def read_roster(path: Path, wanted: RosterFormat | None = None, *, spill: Path | None = None) -> Iterator[Roster]:
    """Read and check a roster file, and keep its people while the block runs.

    ``spill`` is a folder that is made, and removed at the end, if the people do not fit into the memory for them.

    Raises:
        RosterError: the file cannot be read, a line of it is wrong, or the disk is full; every wrong line is named,
            up to ten.
    """
    remarks: list[str] = []
    with database.in_memory(only=TABLE, spill=spill) as people:
        try:
            count, sha256 = load_roster(people, path, wanted, note=remarks.append)
            if spill is not None:
                database.shrink(people)  # reading takes several times the memory of the people, which a build needs
        except database.NO_ROOM as error:
            raise RosterError(
                f"there is no room for the roster: {reason_of(error)}",
                where=str(path),
                hint="free some space on the disk of the database, then run this again",
            ) from error
        yield Roster(path, wanted or RosterFormat(), count, sha256, tuple(remarks), people)


def unchanged_roster(connection: Connection, path: Path, wanted: RosterFormat) -> Roster | None:
    """Return the roster without reading it if the current build has its people: then it has no mistakes.

    None means that it has to be read.
    """
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None  # reading it says what is wrong
    remarks = made.remarks(connection, TABLE, _identity(sha256, wanted))
    return None if remarks is None else Roster(path, wanted, None, sha256, remarks, None)


def _identity(sha256: str | None, wanted: RosterFormat) -> str:
    return f"{program()} {sha256} {wanted}"
