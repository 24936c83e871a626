"""The types of columns: what the headers of models say, in Spark's words."""

from __future__ import annotations

import re

__all__ = ["duckdb_type", "fits", "spark_type"]

_SPARK = {"varchar": "string", "json": "string", "timestamp": "timestamp_ntz", "integer": "int"}
_LIST = "[]"
#: A column of nulls alone has no type on Spark, and is an integer in DuckDB.
_DUCKDB = {"string": "varchar", "timestamp_ntz": "timestamp", "int": "integer", "void": "integer"}
_ARRAY = re.compile(r"array<(.*)>")
#: Types whose values a column of another type of the same line can hold without loss, or fails to.
_WHOLE = ("tinyint", "smallint", "int", "bigint")


def spark_type(kind: str) -> str:
    """Return the Spark type for one of DuckDB's, both in lower case."""
    if kind.endswith(_LIST):
        return f"array<{spark_type(kind.removesuffix(_LIST))}>"
    return _SPARK.get(kind, kind)


def duckdb_type(kind: str) -> str:
    """Return the DuckDB type for one of Spark's, both in lower case."""
    if found := _ARRAY.fullmatch(kind):
        return duckdb_type(found[1]) + _LIST
    return _DUCKDB.get(kind, kind)


def fits(found: str, declared: str) -> bool:
    """Return whether a column that a statement gives can be stored as declared: both are Spark types.

    Spark infers other widths than DuckDB, such as a bigint for the sum of integers. A value that does not fit the
    declared width is an error when it is stored, not a wrong number.
    """
    found, declared = (re.sub(r"^decimal\(.*\)$", "decimal", kind) for kind in (found, declared))
    return found in {declared, "void"} or (found in _WHOLE and declared in _WHOLE)
