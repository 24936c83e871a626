"""Looks at everything before a run: files, models and sources, each with what to do about it. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pipeline import project
from pipeline.errors import AccessReviewError, ConfigurationError
from pipeline.settings import Secret, Settings, SourceSettings
from pipeline.warehouse.examples import run_example

__all__ = ["Item", "items", "scim_in_words"]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was looked at. ``exit_code`` is what a failure of it means to a script."""

    name: str
    result: str
    detail: str
    hint: str = ""
    exit_code: int = 0


def items(settings: Settings, environment: Mapping[str, str]) -> Iterator[Item]:
    """Yield one item for each thing as it has been looked at; a failure does not hide what comes after it."""
    yield Item("configuration", "ok", f"{settings.path}, {len(settings.sources)} sources")
    yield _try("models", lambda: _models(settings))
    yield _try("policy", lambda: project.check_policy(settings))
    yield _try("roster", lambda: project.check_roster(settings))
    if not settings.sources:
        yield _failed("sources", project.no_source(settings))
    for source in settings.sources:
        yield from _source(settings, source.name, environment)


def _try(name: str, look: Callable[[], str]) -> Item:
    try:
        return Item(name, "ok", look())
    except AccessReviewError as error:
        return _failed(name, error)


def _failed(name: str, error: AccessReviewError) -> Item:
    return Item(name, "failed", str(error), error.hint, error.exit_code)


def _models(settings: Settings) -> str:
    known = project.models()
    in_use = project.rules(settings, known)
    examples = [(model, example) for model in known for example in model.examples]
    for model, example in examples:
        run_example(known, model, example)
    on = sum(rule.is_enabled for rule in in_use)
    return f"{len(known)} models, {on} of {len(in_use)} rules on, {len(examples)} examples hold"


def scim_in_words(source: SourceSettings, token: Secret) -> str:
    """Look at a SCIM endpoint; return what it says of itself, in words.

    Raises:
        SourceError: it cannot be reached, or nothing there speaks SCIM to this token.
    """
    from pipeline.sources.scim import endpoint

    at = endpoint.address(source)
    found = endpoint.probe(at, token)
    counts = [
        f"{things} not counted" if total is None else f"{total} {things}"
        for things, total in (("users", found.users), ("groups", found.groups))
    ]
    if found.operations is None:
        able = "no ServiceProviderConfig, so what it supports is unknown"
    else:
        able = "supports " + (", ".join(name for name, is_on in found.operations.items() if is_on) or "no option")
    return f"SCIM at {at.url}: {', '.join(counts)}; {able}"


def _source(settings: Settings, name: str, environment: Mapping[str, str]) -> Iterator[Item]:
    from pipeline.sources.sisense.preflight import preflight

    source = settings.source(name)
    try:
        credentials = source.credentials(environment)
        scim_token = source.scim_token(environment)
    except ConfigurationError as error:
        yield _failed(name, error)
        return
    if scim_token is not None:
        yield _try(f"{name}: scim", lambda: scim_in_words(source, scim_token))
    if source.kind == "scim":
        return
    for check in preflight(source, credentials).checks:
        code = check.exit_code if check.result == "failed" else 0
        yield Item(f"{name}: {check.name}", check.result, check.detail, check.hint, code)
