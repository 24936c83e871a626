"""Checks everything before a run: files, models and sources, each with what to do about it. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from pipeline import inputs
from pipeline.errors import AccessReviewError, ConfigurationError
from pipeline.results import CheckItem
from pipeline.settings import Secret, Settings, SourceSettings
from pipeline.warehouse.examples import example_tables, run_example
from pipeline.wording import counted

if TYPE_CHECKING:
    from pipeline.sources.sisense.preflight import PreflightCheck

__all__ = ["items", "scim_in_words"]


def items(settings: Settings, environment: Mapping[str, str]) -> Iterator[CheckItem]:
    """Yield the check of each thing when it is made; a failure does not stop the checks after it."""
    yield CheckItem("configuration", "ok", f"{settings.path}, {counted(len(settings.sources), 'source')}")
    yield _try("models", lambda: _models(settings))
    yield _try("policy", lambda: inputs.check_policy(settings))
    yield _try("roster", lambda: inputs.check_roster(settings))
    try:
        sources = inputs.sources(settings)
    except ConfigurationError as error:
        yield _failed("sources", error)
        return
    for source in sources:
        yield from _source(source, environment)


def _try(name: str, check: Callable[[], str]) -> CheckItem:
    try:
        return CheckItem(name, "ok", check())
    except AccessReviewError as error:
        return _failed(name, error)


def _failed(name: str, error: AccessReviewError) -> CheckItem:
    return CheckItem(name, "failed", str(error), error.hint, error.exit_code)


def _models(settings: Settings) -> str:
    models = inputs.models()
    rules = inputs.rules(settings)
    examples = [(model, example) for model in models for example in model.examples]
    with example_tables(models) as connection:
        for model, example in examples:
            run_example(connection, model, example)
    enabled = sum(rule.is_enabled for rule in rules)
    return f"{len(models)} models, {enabled} of {len(rules)} rules enabled, {len(examples)} examples pass"


def scim_in_words(source: SourceSettings, token: Secret) -> str:
    """Query a SCIM endpoint; return a description of what it holds and supports.

    Raises:
        SourceError: it cannot be reached, or it does not answer this token in SCIM.
    """
    from pipeline.sources.scim import endpoint

    at = endpoint.address(source)
    found = endpoint.probe(at, token)
    counts = [
        f"{things} not counted" if total is None else f"{total} {things}"
        for things, total in (("users", found.users), ("groups", found.groups))
    ]
    if found.operations is None:
        support = "no ServiceProviderConfig, so what it supports is unknown"
    else:
        support = "supports " + (", ".join(name for name, is_on in found.operations.items() if is_on) or "no option")
    return f"SCIM at {at.url}: {', '.join(counts)}; {support}"


def _source(source: SourceSettings, environment: Mapping[str, str]) -> Iterator[CheckItem]:
    from pipeline.sources.sisense.preflight import preflight

    if source.kind == "files":
        from pipeline.sources.files.preflight import preflight as files_preflight

        yield from _items(source.name, files_preflight(source))
        return
    try:
        credentials = source.credentials(environment)
        scim_token = source.scim_token(environment)
    except ConfigurationError as error:
        yield _failed(source.name, error)
        return
    if source.kind != "sisense":  # the preflight of a Sisense says it itself
        for warning in source.warns_of_plain_http(credentials):
            yield CheckItem(f"{source.name}: transport", "warning", warning, "use https")
    if scim_token is not None:
        yield _try(f"{source.name}: scim", lambda: scim_in_words(source, scim_token))
    if source.kind == "scim":
        return
    if source.is_directory:
        from pipeline.sources.directories.preflight import preflight as directory_preflight

        checks = directory_preflight(source, credentials)
    else:
        checks = preflight(source, credentials).checks
    yield from _items(source.name, checks)


def _items(source: str, checks: Iterable[PreflightCheck]) -> Iterator[CheckItem]:
    for check in checks:
        code = check.exit_code if check.result == "failed" else 0
        yield CheckItem(f"{source}: {check.name}", check.result, check.detail, check.hint, code)
