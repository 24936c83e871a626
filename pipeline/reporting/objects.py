"""What a build knows of dashboards, data models, row rules, seats and sign-on, as far as a report shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars

from pipeline.reporting.frames import to_frame
from pipeline.warehouse.database import Connection
from pipeline.warehouse.saved import statement

__all__ = ["ObjectTables", "load"]

#: Most objects in the table of the most exposed ones, fewer than ``reports.object_exposure`` counts exactly; then
#: most sensitive objects, most grants of each, and most models.
_EXPOSED, _SENSITIVE, _GRANTS, _MODELS = 12, 8, 6, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectTables:
    """The rows to show; ``figures`` counts all objects.

    ``exposed`` and ``sensitive`` are rows of ``reports.object_exposure``; ``grants`` are those of the sensitive ones,
    by ``sensitive_position``, with the ``total`` of each. ``roles`` reach every object of a type.
    """

    lists: polars.DataFrame
    figures: dict[str, int]
    exposed: polars.DataFrame
    sensitive: polars.DataFrame
    grants: polars.DataFrame
    roles: polars.DataFrame
    row_rules: polars.DataFrame
    seats: polars.DataFrame
    sign_on: polars.DataFrame

    def frames(self) -> Iterator[polars.DataFrame]:
        """Yield the tables that hold texts of a source."""
        yield from (self.exposed, self.sensitive, self.grants, self.roles, self.row_rules)


def load(connection: Connection) -> ObjectTables:
    """Read the build that the database holds."""

    def frame(query: str, **values: object) -> polars.DataFrame:
        return to_frame(connection.sql(query, params=values or None))

    return ObjectTables(
        lists=frame("select * from reports.object_lists order by source, position, list"),
        figures=frame(statement("reporting", "object_figures")).row(0, named=True),
        exposed=frame(statement("reporting", "exposed_objects"), shown=_EXPOSED),
        sensitive=frame(statement("reporting", "sensitive_objects"), shown=_SENSITIVE),
        grants=frame(statement("reporting", "sensitive_grants"), shown=_SENSITIVE, grants=_GRANTS),
        roles=frame(statement("reporting", "role_reach")),
        row_rules=frame(statement("reporting", "row_rules"), shown=_MODELS),
        seats=frame("select * from reports.licence_summary order by source, position, seat_class"),
        sign_on=frame("select * from reports.posture order by source"),
    )
