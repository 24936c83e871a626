"""What tests of builds share: names of snapshots, heads of policy files, and lists of models."""

from pipeline.warehouse.model import Model

FIRST = "20260101T000000Z-0001"
SECOND = "20260201T000000Z-0002"
THIRD = "20260301T000000Z-0003"
EXCEPTIONS = "rule_id,source,subject,reason,approved_by,expires_on\n"
OUT_OF_SCOPE = "source,subject,reason,approved_by\n"


def swapped(models: list[Model], model: Model) -> list[Model]:
    return [model if other.table == model.table else other for other in models]


def only(models: list[Model], *rules: str) -> list[Model]:
    """Return the models with these rules alone: a build with fewer of them is quicker."""
    return [model for model in models if not model.is_rule or model.name in rules]


def named(models: list[Model], table: str) -> Model:
    return next(model for model in models if model.table == table)
