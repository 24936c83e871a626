"""The order in which models are built: every model after those it reads."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from pipeline.errors import ModelError
from pipeline.warehouse.model import Model

__all__ = ["BUILDER_TABLES", "order"]

#: Tables that the builder makes from all rules together; they come after every rule.
BUILDER_TABLES = ("findings.failed", "findings.rule_summary", "findings.unknown_subjects")


def order(models: Iterable[Model], lasting: frozenset[str]) -> list[Model]:
    """Sort models so that each comes after those it reads; ties by name, so that the order never varies.

    ``lasting`` are the tables that exist before a build (``raw.users``, ``policy.roles``, ...).

    Raises:
        ModelError: a model reads a table that nothing makes, or models read each other in a circle.
    """
    by_table = {model.table: model for model in models}
    rules = [model.table for model in by_table.values() if model.is_rule]
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for model in sorted(by_table.values(), key=lambda m: m.table):
        needs = []
        for table in model.reads:
            if table in by_table:
                needs.append(table)
            elif table in BUILDER_TABLES:
                needs.extend(rules)
            elif table not in lasting:
                raise ModelError(
                    f"nothing makes the table {table}",
                    where=str(model.path),
                    hint="correct the name, or add the model",
                )
        sorter.add(model.table, *needs)
    try:
        return [by_table[table] for table in sorter.static_order()]
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise ModelError(
            f"models read each other in a circle: {circle}", where="sql/", hint="remove one of these reads"
        ) from error
