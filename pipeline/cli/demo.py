"""``demo``: the whole pipeline against the built-in simulator, without any configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.stages import show
from pipeline.cli.terminal import Terminal

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: access-review demo --accounts 500 --out /tmp/demo")(demo)


def demo(
    context: typer.Context,
    accounts: Annotated[
        int,
        typer.Option(
            metavar="N", help="Number of synthetic accounts; at least 20. From 500, nearly every rule has findings."
        ),
    ] = 2000,
    seed: Annotated[
        int, typer.Option(metavar="S", help="Seed of the synthetic accounts; the same seed gives the same accounts.")
    ] = 7,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the configuration, the database and the report.")
    ] = Path("access-review-demo"),
) -> None:
    """Try everything on a simulated Sisense with synthetic people."""
    from pipeline.reporting.processes import Pool, cores
    from pipeline.simulator import apart

    terminal: Terminal = context.obj
    terminal.say(f"simulating a Sisense with {accounts} accounts (synthetic, seed {seed}) ...")
    with Pool(1 if cores() > 1 else 0) as pool:
        beginning = pool.submit(apart.begin, accounts, seed, out)
        # Loaded while the simulator starts.
        from pipeline.project import Project
        from pipeline.reporting.report import DEFAULT_FORMATS
        from pipeline.settings import load_settings

        begun = beginning.result()
        settings = load_settings(begun.configuration)
        environment = {settings.sources[0].environment_prefix + "_PASSWORD": begun.password}
        with terminal.progress():
            result = Project(settings, environment, terminal).run(formats=DEFAULT_FORMATS)
    show(terminal, result)
    terminal.say(f"next: access-review --config {begun.configuration} rules list")
