"""A model: what one ``.sql`` file says, once :mod:`pipeline.warehouse.model_file` has read and checked it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pipeline.warehouse.effects import Effects

__all__ = ["CONTROL_KEYS", "NEEDS", "SEVERITIES", "Example", "Model", "ModelCheck", "ModelColumn"]

SEVERITIES = ("critical", "high", "medium", "low", "info")
CONTROL_KEYS = ("soc2", "iso27001", "pci", "nist", "cis", "hipaa")
#: Inputs that an extract may lack. A rule is not evaluated without the one it needs.
NEEDS = ("roster", "baseline", "campaign", "provider", "objects", "mailed_reports", "sign_on")


@dataclass(frozen=True, slots=True)
class ModelColumn:
    """A column as the header declares it: DuckDB type in lower case, and a description for the catalog."""

    name: str
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """A select of one text column, ``problem``, that should return no rows.

    ``fail`` stops the build as a broken model, ``input`` as a mistake in a policy file; ``warn`` is reported.
    """

    name: str
    level: Literal["fail", "input", "warn"]
    sql: str


@dataclass(frozen=True, slots=True)
class Example:
    """Rows given, rows expected. Columns that are not given are null; columns not expected are not compared."""

    name: str
    given: Mapping[str, list[dict[str, Any]]]
    expect: list[dict[str, Any]]
    population: int | None
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Model:
    """One file: the table it makes (``schema.name``), its header, and its statement.

    ``title`` to ``effects`` are empty unless the file is a rule; ``is_gate`` belongs to completeness checks.
    So does ``each``: the column whose value the id of each check begins with, for a file that makes several.
    ``is_view`` means that the rows are not stored: a view joins tables that change for different reasons.
    """

    path: Path
    schema: str
    name: str
    sql: str
    sha256: str
    summary: str
    reads: tuple[str, ...]
    grain: tuple[str, ...] = ()
    columns: tuple[ModelColumn, ...] = ()
    checks: tuple[ModelCheck, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    examples: Sequence[Example] = ()
    is_gate: bool = False
    each: str | None = None
    is_view: bool = False
    title: str = ""
    severity: str = ""
    population: str = ""
    remediation: str = ""
    needs: str | None = None
    controls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    effects: Effects = field(default_factory=Effects)

    @property
    def table(self) -> str:
        """Return the qualified name."""
        return f"{self.schema}.{self.name}"

    @property
    def statements(self) -> tuple[str, ...]:
        """Return every select of the file: the model's own, the population, and those of the checks."""
        return (self.sql, *filter(None, [self.population]), *(check.sql for check in self.checks))

    @property
    def is_rule(self) -> bool:
        """Return whether the file is a rule: a model of findings without declared columns."""
        return self.schema == "findings" and not self.columns
