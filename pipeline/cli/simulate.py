"""``simulate``: the simulator as a server, for this program or any other client."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.commands import Command
from pipeline.cli.terminal import Terminal

__all__ = ["register"]

#: The folder for its roster, policy, answer key and configuration.
_FOLDER = Path("access-review-simulator")


class _WithScenarios(Command):
    """Lists the scenarios in its help, and imports them only then, because that is slow."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        from pipeline.simulator.scenarios import SCENARIOS

        with formatter.section("Scenarios, which combine"):
            formatter.write_dl([(name, scenario.summary) for name, scenario in SCENARIOS.items()])


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=_WithScenarios)(simulate)


def simulate(
    context: typer.Context,
    port: Annotated[
        int, typer.Option(metavar="P", min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")
    ] = 0,
    accounts: Annotated[int, typer.Option(metavar="N", help="Number of synthetic accounts; at least 20.")] = 2000,
    seed: Annotated[
        int, typer.Option(metavar="S", help="Seed of the synthetic accounts; the same seed gives the same accounts.")
    ] = 7,
    scenario: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A behaviour to simulate, from the list below (repeatable)."),
    ] = None,
    tls: Annotated[bool, typer.Option("--tls", help="Serve TLS with a self-signed certificate.")] = False,
) -> None:
    """Serve a simulated Sisense until interrupted.

    All people in it are synthetic.
    """
    from pipeline.simulator.server import Simulator

    terminal: Terminal = context.obj
    with Simulator(accounts, seed, port=port, scenarios=scenario or (), tls=tls) as simulator:
        files = simulator.write_files(_FOLDER)
        lines = [f"listening on {simulator.url}", *(f"wrote {path}" for path in files.values())]
        lines += [
            f"user name {simulator.username}, password {simulator.password} (synthetic)",
            f"SCIM at {simulator.scim_url}, token {simulator.scim_token}",
            f"try: ACCESS_REVIEW_PROD_PASSWORD={simulator.password} "
            f"access-review --config {files['access-review.toml']} run",
        ]
        terminal.emit(
            "\n".join(lines),
            {
                "url": simulator.url,
                "username": simulator.username,
                "password": simulator.password,
                "token": simulator.token,
                "scim_url": simulator.scim_url,
                "scim_token": simulator.scim_token,
                "files": files,
            },
        )
        terminal.say("press Ctrl-C to stop")
        threading.Event().wait()
