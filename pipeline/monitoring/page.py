"""The monitor of the page on which reviewers decide."""

from __future__ import annotations

import multiprocessing
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from prometheus_client import Metric
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.clock import Clock, utc_now
from pipeline.errors import AccessReviewError
from pipeline.monitoring import exposition
from pipeline.warehouse import figures
from pipeline.warehouse.figures import Figures

__all__ = ["PageMonitor"]


class PageMonitor:
    """What the page knows about itself: its answers, and whether its store can be used.

    ``is_usable`` raises an error if the store cannot be used. The figures of the database are read by a process of
    their own, when the file has changed, so that this process never loads DuckDB. While another process writes the
    database, they stay as they are.
    """

    def __init__(self, database: Path, is_usable: Callable[[], object], *, clock: Clock = utc_now) -> None:
        self._database = database
        self._is_usable = is_usable
        self._clock = clock
        self._figures = Figures()
        self._read_at: int | None = None
        self._answers: Counter[str] = Counter()
        self._one_reader = threading.Lock()

    def counting(self, app: ASGIApp) -> ASGIApp:
        """Return an application that answers as ``app`` does, and whose answers are counted here."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            async def sent(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self._answers[f"{message['status'] // 100}xx"] += 1
                await send(message)

            await app(scope, receive, sent)

        return counted

    def health(self) -> tuple[bool, Mapping[str, Any]]:
        """Return whether the store of the campaign can be used."""
        try:
            self._is_usable()
        except AccessReviewError as error:
            reason = "the store of the campaign cannot be used"
            return False, {"status": "failing", "reason": reason, "error": type(error).__name__}
        return True, {"status": "ok"}

    def metrics(self) -> Sequence[Metric]:
        """Return the metrics of the page and of the database."""
        self._read()
        answers = {f"{digit}xx": self._answers[f"{digit}xx"] for digit in range(2, 6)}
        return [
            exposition.program(),
            exposition.counter("http_answers", "Answers of the page since the start.", "status", answers),
            *exposition.of_database(self._figures, self._clock),
        ]

    def _read(self) -> None:
        with self._one_reader, suppress(AccessReviewError, OSError):
            changed_at = self._database.stat().st_mtime_ns
            if changed_at != self._read_at:
                with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
                    self._figures = pool.submit(_figures, self._database).result()
                self._read_at = changed_at


def _figures(path: Path) -> Figures:
    return figures.read(path, notify=lambda _: None, wait=0)
