"""A table without rows, which has no file to take types from, has the types that it would have with rows."""

import duckdb
import pytest

from pipeline.engines.types import duckdb_type, spark_type
from pipeline.warehouse.executor import TableExchange


@pytest.mark.parametrize(
    "kind", ["varchar", "timestamp", "integer", "bigint", "double", "boolean", "date", "varchar[]", "varchar[][]"]
)
def test_a_type_is_the_same_after_a_turn_through_the_engine(kind: str) -> None:
    assert duckdb_type(spark_type(kind)) == kind


def test_a_table_without_files_has_its_columns_and_no_rows() -> None:
    with duckdb.connect() as connection:
        exchange = TableExchange(connection)
        columns = [
            ("id", "varchar"),
            ("seen_at", "timestamp"),
            ("names", "varchar[]"),
            ("nothing", duckdb_type("void")),
        ]

        assert exchange.store("empty", columns, []) == 0
        assert exchange.columns("empty") == [*columns[:3], ("nothing", "integer")]
