"""``demo``: the whole pipeline against the built-in simulator, without any configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.stages import show
from pipeline.cli.terminal import Terminal
from pipeline.errors import RenderError

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
    from pipeline.project import Project
    from pipeline.settings import load_settings
    from pipeline.simulator.server import Simulator

    terminal: Terminal = context.obj
    terminal.say(f"simulating a Sisense with {accounts} accounts (synthetic, seed {seed}) ...")
    with Simulator(accounts, seed) as simulator:
        try:
            files = simulator.write_files(out)
        except OSError as error:
            raise RenderError(
                f"the folder cannot be written: {error.strerror}", where=str(out), hint="name another one with --out"
            ) from error
        settings = load_settings(files["access-review.toml"])
        environment = {settings.sources[0].environment_prefix + "_PASSWORD": simulator.password}
        with terminal.progress():
            result = Project(settings, environment, terminal).run()
    show(terminal, result)
    terminal.say(f"next: access-review --config {files['access-review.toml']} rules list")
