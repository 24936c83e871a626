"""Access reviews of Sisense that an auditor can re-check.

The public API::

    from pipeline import Project, load_settings

    project = Project(load_settings("access-review.toml"))
    result = project.run()
    result.report.folder
    project.query("select email from reports.population where privileged")

Names below are imported when they are first used, so that ``import pipeline`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.errors import (
        AccessReviewError,
        ConfigurationError,
        ContentError,
        DatabaseLockedError,
        GateError,
        IncompleteError,
        LoginError,
        MissingSecretError,
        ModelError,
        QueryError,
        RenderError,
        RosterError,
        SourceError,
        SupersededError,
        UnreachableError,
        UsageError,
        WarehouseError,
    )
    from pipeline.progress import Progress, StageCost
    from pipeline.project import Project
    from pipeline.results import (
        BuildResult,
        CheckItem,
        CheckResult,
        ExtractResult,
        ReportExtras,
        ReportResult,
        RunResult,
        UnevaluatedRule,
    )
    from pipeline.settings import Settings, load_settings

try:  # the build writes this module, with the version of the newest tag
    from pipeline._version import __version__
except ImportError:  # a checkout that was never installed
    __version__ = "0+unknown"

__all__ = [
    "AccessReviewError",
    "BuildResult",
    "CheckItem",
    "CheckResult",
    "ConfigurationError",
    "ContentError",
    "DatabaseLockedError",
    "ExtractResult",
    "GateError",
    "IncompleteError",
    "LoginError",
    "MissingSecretError",
    "ModelError",
    "Progress",
    "Project",
    "QueryError",
    "RenderError",
    "ReportExtras",
    "ReportResult",
    "RosterError",
    "RunResult",
    "Settings",
    "SourceError",
    "StageCost",
    "SupersededError",
    "UnevaluatedRule",
    "UnreachableError",
    "UsageError",
    "WarehouseError",
    "__version__",
    "load_settings",
]

#: Where the names live that are not errors.
_HOMES = {
    "Progress": "progress",
    "StageCost": "progress",
    "Project": "project",
    "Settings": "settings",
    "load_settings": "settings",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES.get(name) or ("errors" if name.endswith("Error") else "results")
    return getattr(import_module(f"{__name__}.{home}"), name)
