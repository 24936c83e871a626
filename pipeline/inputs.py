"""The inputs of a build besides its snapshot: the models, the rules in force, the policy files and the roster."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from pipeline import resources
from pipeline.engines.connection import missing_packages
from pipeline.errors import ConfigurationError, WarehouseError
from pipeline.settings import Settings, SourceSettings, read_secret
from pipeline.warehouse import database
from pipeline.warehouse.executor import Executor, InDuckDB, TableExchange
from pipeline.warehouse.model import Model
from pipeline.warehouse.model_file import LANDING_LAYERS, load_folder
from pipeline.warehouse.people import Roster, read_roster, unchanged_roster
from pipeline.warehouse.policy import PolicyFiles, check_rule_ids, load_policy, load_reference
from pipeline.warehouse.roster_columns import RosterFormat
from pipeline.warehouse.rules import RuleInForce, in_force

__all__ = [
    "check_policy",
    "check_roster",
    "completeness_models",
    "executor",
    "models",
    "policy_files",
    "roster",
    "rules",
    "sources",
]


#: The environment variable of the token that a Spark Connect server asks for.
_ENGINE_TOKEN = "ACCESS_REVIEW_ENGINE_TOKEN"  # noqa: S105 - its name


@cache
def models() -> tuple[Model, ...]:
    """Read every model that ships with the program; the result is kept, because they do not change while it runs.

    Raises:
        ModelError: one of them is wrong.
    """
    return tuple(load_folder(resources.sql()))


@cache
def completeness_models() -> tuple[Model, ...]:
    """Read only the models that decide whether an extract is complete.

    Raises:
        ModelError: one of them is wrong.
    """
    return tuple(load_folder(resources.sql(), LANDING_LAYERS))


def rules(settings: Settings) -> list[RuleInForce]:
    """Return every rule with the severity and parameters that the configuration gives it.

    Raises:
        ConfigurationError: ``[rules.*]`` names an unknown rule or parameter, or a value has the wrong type.
        ModelError: a model is wrong.
    """
    return in_force(models(), settings.rules, where=str(settings.path))


def sources(settings: Settings, names: Sequence[str] = ()) -> list[SourceSettings]:
    """Return the sources of these names; without names, all that are configured.

    Raises:
        ConfigurationError: one of the names is unknown, or no source is configured.
    """
    if names:
        return [settings.source(name) for name in names]
    if not settings.sources:
        raise ConfigurationError(
            "no source is configured", where=str(settings.path), hint="add a table [sources.prod] with kind and url"
        )
    return list(settings.sources)


def executor(settings: Settings, environment: Mapping[str, str], connection: database.Connection) -> Executor | None:
    """Return what runs the models, if it is not the database. ``environment`` may hold the engine's token.

    Raises:
        ConfigurationError: the engine's packages or its address are missing, or its lake cannot be opened.
        WarehouseError: the engine does not answer.
    """
    warehouse = settings.warehouse
    if warehouse.engine == "duckdb":
        return None
    if warehouse.engine_url is None:
        raise ConfigurationError(
            "the engine 'spark' has no address",
            where="[warehouse] engine_url",
            hint='add engine_url = "sc://host:15002", the address of a Spark Connect server',
        )
    if ";" in warehouse.engine_url:
        raise ConfigurationError(
            "the engine's address has parameters",
            where="[warehouse] engine_url",
            hint=f"remove them; a token belongs into the environment, as {_ENGINE_TOKEN}",
        )
    try:
        from pipeline.engines.spark import Location, Spark
    except ImportError as error:
        raise missing_packages(error) from error

    lake = warehouse.lake if "://" in warehouse.lake else str(settings.path.parent / warehouse.lake)
    location = Location(warehouse.engine_url, lake, read_secret(environment, _ENGINE_TOKEN))
    return Spark(location, TableExchange(connection), InDuckDB(connection), resources.sql())


def policy_files(settings: Settings) -> PolicyFiles:
    """Return where the policy of this configuration comes from."""
    return PolicyFiles(
        defaults=resources.reference_data(),
        folder=settings.policy.directory if settings.policy else None,
        email_domains=settings.organization.email_domains,
        cadence=settings.cadence.months(),
        licence_prices=settings.licence_price.by_class(),
        currency=settings.licence_price.currency,
        due_days=settings.due_days.by_severity(),
        default_owner=settings.policy.default_owner if settings.policy else None,
    )


@contextmanager
def roster(settings: Settings) -> Iterator[Roster | None]:
    """Read the roster file and keep its people while the block runs; yield None if no file is configured.

    A file whose people the current build has is not read again.

    Raises:
        RosterError: it cannot be read, or a line of it is wrong.
    """
    if settings.roster is None or settings.roster.path is None:
        yield None
        return
    path, wanted = settings.roster.path, RosterFormat(settings.roster.preset, settings.roster.columns)
    unchanged = None
    current = database.reading(settings.warehouse.database, notify=lambda _: None, wait=0)
    with suppress(WarehouseError), current as connection:  # without a database that can be read, the file is
        unchanged = unchanged_roster(connection, path, wanted)
    if unchanged is not None:
        yield unchanged
        return
    file = settings.warehouse.database
    folder = file.parent if file.parent.is_dir() else Path(tempfile.gettempdir())
    # The folder that the database itself uses; DuckDB keeps the files of its connections apart.
    with read_roster(path, wanted, spill=folder / f"{file.name}.tmp") as people:
        yield people


def check_policy(settings: Settings) -> str:
    """Read the policy files as a build would; return a description of what was read.

    Raises:
        ConfigurationError: one of them is wrong.
    """
    files = policy_files(settings)
    with database.in_memory() as connection:
        load_reference(connection, files.defaults)
        load_policy(connection, files)
        check_rule_ids(connection, {model.name for model in models() if model.is_rule})
    return str(files.folder) if files.folder else "the defaults"


def check_roster(settings: Settings) -> str:
    """Read the roster as a build would; return a description of what was read.

    Raises:
        RosterError: it cannot be read, or a line of it is wrong.
    """
    if settings.roster is not None and settings.roster.source is not None:
        return f"the users of source '{settings.roster.source}', as each extract reads them"
    if settings.roster is None or settings.roster.path is None:
        return "none; rules that need one are not evaluated"
    path, wanted = settings.roster.path, RosterFormat(settings.roster.preset, settings.roster.columns)
    with read_roster(path, wanted) as people:
        return "; ".join([f"{path}, {'1 person' if people.count == 1 else f'{people.count} people'}", *people.notes])
