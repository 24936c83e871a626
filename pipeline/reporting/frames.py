"""Hands rows of DuckDB to Polars."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import polars

from pipeline.errors import QueryError

__all__ = ["to_frame"]

#: Types of DuckDB that Polars has no match for; it aborts with a Rust panic when it meets one.
_UNSUPPORTED = ("INTERVAL", "UNION(")


def to_frame(relation: Any) -> polars.DataFrame:
    """Return the rows of a DuckDB relation as a Polars frame, with their types.

    Raises:
        QueryError: a column has a type that Polars cannot hold.
    """
    for column, kind in zip(relation.columns, relation.types, strict=True):
        if any(name in str(kind) for name in _UNSUPPORTED):
            raise QueryError(
                f"a data frame cannot hold the column '{column}' of type {kind}",
                where="sql",
                hint=f"cast it in the query: cast({column} as varchar)",
            )
    # Polars keeps the type of the object it is given until the process ends. A relation's type would outlive DuckDB's
    # module, which then complains on stderr at exit. So only the Arrow stream is handed over.
    return polars.DataFrame(SimpleNamespace(__arrow_c_stream__=relation.__arrow_c_stream__))
