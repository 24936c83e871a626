"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["Metrics"]

Metrics = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        metavar="[HOST:]PORT",
        help="Also answer /metrics (Prometheus) and /healthz there, on loopback unless a host is given.",
    ),
]
