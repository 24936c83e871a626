"""The models translate to Spark SQL, so that the rules can move to another engine."""

import pytest
import sqlglot
from sqlglot import exp

from pipeline import resources
from pipeline.warehouse.model import Model
from pipeline.warehouse.model_file import load_folder

MODELS = load_folder(resources.sql())

#: Functions that sqlglot does not know and passes through, each with the reason why it stays.
PASSED_THROUGH = {
    # Staging is where DuckDB reads JSON: one pass over the payload, three times as fast as twelve '->>'.
    # On another engine this layer is written anew, and everything after it sees plain columns. The keys by which
    # addresses are compared are made here too, so that no later layer needs Unicode's rules.
    "staging": {"json_transform", "trimmed", "match_key", "usable_id", "object_list", "object_check_state"},
    # So it is where the completeness checks read it; a hash tells two contents apart without holding them.
    "landed": {"json_transform", "hash", "usable_id"},
    # A manifest is a tree of unknown depth. Walking it needs a function of the engine; it is one CTE of one model.
    "graph.roles": {"json_tree"},
}
#: Functions of Spark that sqlglot passes through because it does not know them either.
OF_SPARK = {"format_number"}


def parsed(statement: str) -> exp.Expression:
    """Return the tree of a statement with the two functions that later layers call written out, as any engine can."""

    def grouped(number: exp.Expression) -> exp.Expression:
        return sqlglot.parse_one("format_number(given, 0)", read="spark").transform(
            lambda node: number.copy() if isinstance(node, exp.Column) else node
        )

    def written_out(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Anonymous) and node.name.lower() == "grouped":
            return grouped(node.expressions[0])
        if isinstance(node, exp.Anonymous) and node.name.lower() == "counted":
            number, noun = node.expressions
            plural = sqlglot.parse_one(
                f"' ' || {noun.sql('duckdb')} || case when ({number.sql('duckdb')}) = 1 then '' else 's' end",
                read="duckdb",
            )
            return exp.DPipe(this=grouped(number), expression=exp.paren(plural), safe=True)
        return node

    return sqlglot.parse_one(statement, read="duckdb").transform(written_out)


@pytest.mark.parametrize("model", MODELS, ids=[model.table for model in MODELS])
def test_the_statements_of_a_model_translate_to_spark(model: Model) -> None:
    allowed = PASSED_THROUGH.get(model.schema, set()) | PASSED_THROUGH.get(model.table, set())
    for statement in filter(None, [model.sql, model.population, *(check.sql for check in model.checks)]):
        tree = parsed(statement)
        unknown = {call.name.lower() for call in tree.find_all(exp.Anonymous)} - OF_SPARK

        translated = tree.sql("spark", unsupported_level=sqlglot.ErrorLevel.RAISE)

        assert unknown <= allowed
        assert isinstance(sqlglot.parse_one(translated, read="spark"), exp.Query)


def test_every_exemption_is_still_needed() -> None:
    used = {call.name.lower() for model in MODELS for call in parsed(model.sql).find_all(exp.Anonymous)}

    assert used - OF_SPARK == set().union(*PASSED_THROUGH.values())
