"""What tests of builds share: names of snapshots, heads of policy files, and lists of models."""

from pipeline.warehouse.model import Model
from pipeline.warehouse.plan import BUILDER_TABLES

FIRST = "20260101T000000Z-0001"
SECOND = "20260201T000000Z-0002"
THIRD = "20260301T000000Z-0003"
#: What every build keeps for later ones.
KEPT = (
    "graph.accounts", "graph.roles", "graph.groups", "graph.memberships", "graph.grants", "findings.register",
    "findings.evaluations",
)  # fmt: skip
EXCEPTIONS = "rule_id,source,subject,reason,approved_by,expires_on\n"
OUT_OF_SCOPE = "source,subject,reason,approved_by\n"


def swapped(models: list[Model], model: Model) -> list[Model]:
    return [model if other.table == model.table else other for other in models]


def only(models: list[Model], *rules: str) -> list[Model]:
    """Return the models with these rules alone: a build with fewer of them is quicker."""
    return [model for model in models if not model.is_rule or model.name in rules]


def behind(models: list[Model], *tables: str) -> list[Model]:
    """Return the models that these tables and the history are made from: the others take time for nothing."""
    by_table = {model.table: model for model in models}
    rules = [model.table for model in models if model.is_rule]
    needed: set[str] = set()
    waiting = [*tables, *KEPT, *rules]
    while waiting:
        table = waiting.pop()
        if table in BUILDER_TABLES:
            waiting += rules
        elif table in by_table and table not in needed:
            needed.add(table)
            waiting += by_table[table].reads
    return [model for model in models if model.table in needed or model.schema in {"landed", "completeness"}]


def named(models: list[Model], table: str) -> Model:
    return next(model for model in models if model.table == table)
