"""``scim``: is there a SCIM endpoint, what does it say of itself, and what to paste into an identity provider."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from pipeline.cli.terminal import Terminal
from pipeline.errors import AccessReviewError, ConfigurationError
from pipeline.settings import SourceSettings

__all__ = ["register"]

_group = typer.Typer(help="The SCIM endpoint of a source.", rich_markup_mode=None, no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _group.callback()(_options)
    _group.command("check", epilog="Example: access-review scim check --print-setup")(check)
    app.add_typer(_group, name="scim")


def _options() -> None:
    """Keep ``check`` a command of its own name, though it is the only one."""


def check(
    context: typer.Context,
    print_setup: Annotated[
        bool, typer.Option("--print-setup", help="Print the values to paste into Okta or Entra ID; contact nobody.")
    ] = False,
) -> None:
    """Look at every configured SCIM endpoint: is it there, how many users and groups, what it supports."""
    from pipeline import preflight

    terminal: Terminal = context.obj
    settings = terminal.settings()
    if print_setup:
        shown = settings.sources
    else:
        shown = tuple(source for source in settings.sources if source.kind == "scim" or source.scim_url)
    if not shown:
        raise ConfigurationError(
            "no source has a SCIM endpoint",
            where=str(settings.path),
            hint='add scim_url = "https://bi.example.com/api/scim/v2" to a source, or a source of kind scim',
        )
    if print_setup:
        terminal.result(
            "\n\n".join(_setup(source) for source in shown),
            [{"source": source.name, "base_url": _base_url(source)} for source in shown],
        )
        return
    results: list[dict[str, str]] = []
    lines: list[str] = []
    failure: AccessReviewError | None = None
    for source in shown:
        try:
            token = source.scim_token(os.environ)
            detail = preflight.scim_in_words(source, token) if token else ""
            results.append({"source": source.name, "result": "ok", "detail": detail})
            lines.append(f"ok      {source.name}: {detail}")
        except AccessReviewError as error:
            failure = failure or error
            results.append({"source": source.name, "result": "failed", "detail": str(error), "hint": error.hint})
            lines.append(f"failed  {source.name}: {error}")
    terminal.result("\n".join(lines), results)
    if failure is not None:
        raise failure


def _base_url(source: SourceSettings) -> str:
    if source.kind == "scim":
        return source.url
    return source.scim_url or f"{source.url}/api/scim/v2"


def _setup(source: SourceSettings) -> str:
    variable = source.environment_prefix + ("_TOKEN" if source.kind == "scim" else "_SCIM_TOKEN")
    return f"""source {source.name}
SCIM connector base URL (Okta), Tenant URL (Entra ID): {_base_url(source)}
Unique identifier field for users: userName
Authentication: HTTP header, bearer token
Token: make it under Admin > Security; for this tool, set {variable} or {variable}_FILE
Provisioning to the app: create users, update user attributes, deactivate users
Group push: names become Sisense groups. It gives nobody a role: every new account still needs one in Sisense."""
