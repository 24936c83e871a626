"""``rules``: the rules with their parameters in force, and their SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.commands import Commands
from pipeline.cli.terminal import Terminal, align
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.warehouse.rules import RuleInForce

__all__ = ["register"]

_group = Commands(help="List the rules and their parameters; show the SQL of one.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _group.callback(invoke_without_command=True)(_default)
    _group.command("list", epilog="Example: access-review rules list")(list_rules)
    _group.command("show", epilog="Example: access-review rules show RULE")(show_rule)
    app.add_typer(_group, name="rules")


def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_rules(context)


def list_rules(context: typer.Context) -> None:
    """List every rule with its severity and parameters in force."""
    from pipeline import inputs

    terminal: Terminal = context.obj
    found = inputs.rules(_settings(terminal))
    rows = [
        (
            rule.model.name,
            (rule.severity or rule.model.severity) if rule.is_enabled else "off",
            rule.parameters_text,
            rule.model.title,
        )
        for rule in found
    ]
    terminal.result(align(("rule", "severity", "parameters", "title"), rows), [_document(rule) for rule in found])


def show_rule(
    context: typer.Context, rule: Annotated[str, typer.Argument(metavar="RULE", help="The rule's id.")]
) -> None:
    """Show one rule: its meaning, parameters, controls and SQL."""
    from pipeline import inputs

    terminal: Terminal = context.obj
    by_id = {found.model.name: found for found in inputs.rules(_settings(terminal))}
    if rule not in by_id:
        from pipeline.spelling import nearest

        match = nearest(rule, by_id)
        raise UsageError(
            f"there is no rule '{rule}'",
            where="",
            hint=f"did you mean '{match}'?" if match else "'access-review rules list' shows them all",
        )
    found = by_id[rule]
    facts = [
        ("rule", found.model.name),
        ("title", found.model.title),
        ("fails when", found.model.summary),
        ("enabled", str(found.is_enabled).lower()),
        ("severity", found.severity or found.model.severity),
        ("parameters", found.parameters_text or "none"),
        ("controls", found.controls_text),
        ("what to do", found.model.remediation),
        ("population", " ".join(found.model.population.split())),
        ("sha256", found.model.sha256),
    ]
    text = "\n".join(f"{name:<11} {value}" for name, value in facts)
    population = " ".join(found.model.population.split())
    terminal.result(
        f"{text}\n\n{found.model.sql}",
        {**_document(found), "population_sql": population, "sql": found.model.sql},
    )


def _document(rule: RuleInForce) -> dict[str, object]:
    return {
        "rule_id": rule.model.name,
        "title": rule.model.title,
        "summary": rule.model.summary,
        "enabled": rule.is_enabled,
        "severity": rule.severity or rule.model.severity,
        "parameters": rule.parameters,
        "controls": rule.model.controls,
        "remediation": rule.model.remediation,
        "sql_sha256": rule.model.sha256,
    }


def _settings(terminal: Terminal) -> Settings:
    """Read the configuration; without one the rules are as they ship."""
    if terminal.config.exists():
        return terminal.settings()
    terminal.say(f"no configuration at {terminal.config}: these are the defaults")
    from pipeline.settings import Settings

    return Settings(path=terminal.config, sha256="")
