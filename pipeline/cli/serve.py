"""``review serve``: the page on which reviewers decide."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.parameters import Metrics
from pipeline.cli.terminal import Terminal

__all__ = ["serve"]


def serve(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The campaign (default: the only open one).")
    ] = None,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="P", min=0, max=65535, help="Port; 0 takes a free one.")] = 8400,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="Certificate for HTTPS, PEM.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="Its private key, PEM.")] = None,
    metrics: Metrics = None,
) -> None:
    """Serve the page on which reviewers decide, until interrupted.

    Decisions are kept beside the campaign; 'review import' without files brings them into the database. Prints a link
    that signs you in as owner of the campaign; 'review invite' sends each reviewer theirs.
    """
    from pipeline.monitoring.endpoint import MetricsListener
    from pipeline.monitoring.page import PageMonitor
    from pipeline.web.server import Address, Listener
    from pipeline.web.serving import prepare

    terminal: Terminal = context.obj
    settings = terminal.settings()
    listener = Listener(Address(host, port, tls_cert, tls_key))
    monitoring = None if metrics is None else MetricsListener(metrics)
    page = prepare(settings, os.environ, listener, name)
    terminal.emit(
        f"campaign {page.campaign} at {page.url}\nyour link, for one sign-in as owner: {page.owner_link}",
        {"campaign": page.campaign, "url": page.url, "owner_link": page.owner_link},
    )
    if warning := listener.port_warning(settings.web.base_url):
        terminal.note(warning)
    from pipeline.settings import is_loopback

    if not is_loopback(host):
        terminal.say(f"reachable from other machines at {host}, port {port}")
    terminal.say("press Ctrl-C to stop")
    if monitoring is None:
        listener.serve(page.app)
        return
    terminal.say(f"metrics at {monitoring.url}")
    monitor = PageMonitor(settings.warehouse.database, page.store.refusal_count)
    with monitoring.serving(monitor):
        listener.serve(monitor.counting(page.app))
