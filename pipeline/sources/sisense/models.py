"""Data models: extract models (ElastiCubes) of every server, live models, who each is shared with, and its row rules.

On Linux there is one server, ``localhost``; on Windows there may be several, and two may have models of one title. A
title is one part of a path, whatever characters it has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from pipeline.errors import AccessReviewError
from pipeline.sources.errors import BadAnswerError, RefusedError
from pipeline.sources.exchange import Reply
from pipeline.sources.records import read_json
from pipeline.sources.sisense.object_checks import ABSENT, Asked, ListReport, parts_read, reason
from pipeline.sources.sisense.object_lists import ObjectApi, ObjectPage, PagedObjects, choose, read_object
from pipeline.sources.sisense.object_records import Record, model, model_shares, row_rule, rows_of
from pipeline.wording import counted

__all__ = ["LIVE", "SERVERS", "read_models"]

_CUBES = "/api/elasticubes"
#: Paths of the lists of servers with extract models, and of live models.
SERVERS, LIVE = f"{_CUBES}/servers", "/api/v1/elasticubes/live"
#: The server of extract models on Linux.
_LOCAL = "localhost"
_NAME_KEYS = ("address", "server", "name", "id")
#: What progress shows: the lists count up first, then the requests for each model.
_PROGRESS = "models and their row rules"


@dataclass(slots=True)
class _Models:
    """The models as far as they were read. ``lost`` says of which part of the list nothing could be read."""

    pages: list[ObjectPage] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    failures: list[AccessReviewError] = field(default_factory=list)
    answered: bool = False

    @property
    def rows(self) -> list[Record]:
        return [row for page in self.pages for row in page.rows]


async def read_models(api: ObjectApi) -> tuple[ListReport, ListReport]:
    """Read the models and then their row rules; return the reports on ``models`` and ``row_rules``."""
    report, rules = ListReport("models"), ListReport("row_rules")
    found = _Models()
    await _read_extracts(api, report, found)
    await _read_live(api, found)
    if not found.answered:
        why = " ".join(dict.fromkeys(found.lost)) or "There is no such list."
        rules.unread(found.failures, f"The list of data models could not be read. {why}")
        return report.unread(found.failures, why), rules
    report.add("read", "PASS", f"{counted(len(found.rows), 'data model')} read.", observed=len(found.rows))
    for position, lost in enumerate(found.lost, start=1):
        report.add(f"part_{position}", "FAIL", lost)
    nameless = sum(row["_id"] is None for row in found.rows)
    if nameless:
        report.add("ids_present", "FAIL", f"{counted(nameless, 'data model')} without an id.")
    known = {row["_id"]: row for row in found.rows if row["_id"] is not None}
    await _read_permissions(api, report, list(known.values()))
    await _RowRules(api, rules).read(list(known.values()), is_whole=not report.failures)
    api.keep("models", found.pages)
    return report, rules


async def _read_extracts(api: ObjectApi, report: ListReport, found: _Models) -> None:
    """Read the extract models of every server."""
    servers, failure = await _read_servers(api)
    for number, server in enumerate(servers, start=1):
        path = f"{SERVERS}/{quote(server, safe='')}"
        candidates = [
            PagedObjects(api, path, query, lambda row, at=server: model(row, server=at), "offset", "count")  # type: ignore[misc]
            for query in ({"withPermissions": "true"}, {})
        ]
        paged, refusal = await choose(api, candidates, wants_shares=True)
        if paged is None:
            is_absent = isinstance(refusal, RefusedError) and refusal.status in ABSENT
            if failure is None and is_absent and server == _LOCAL:
                continue  # the list of servers is empty, so there are no extract models
            error = failure or refusal
            why = reason(error) if error else ""
            found.failures += [each for each in (failure, refusal) if each is not None]
            found.lost.append(f"The extract models of '{server}' could not be read. {why}".strip())
            continue
        pages, reading, trouble = await api.read_pages(paged, "models", _PROGRESS)
        if trouble is not None:
            found.failures.append(trouble)
            found.lost.append(f"The extract models of '{server}' were not read to their end. {reason(trouble)}")
        if reading is not None:
            report.add_reading("extract models", reading, "" if number == 1 else f"_{number}")
        found.answered = found.answered or reading is not None or bool(pages)
        found.pages += pages


async def _read_servers(api: ObjectApi) -> tuple[list[str], AccessReviewError | None]:
    """Return the servers of extract models, the local one if none is listed, and why they could not be listed."""
    try:
        answer, names = await api.get(SERVERS, _read_names)
    except AccessReviewError as error:
        return [_LOCAL], error
    api.note_answer(answer, "servers")
    return list({name.lower(): name for name in reversed(names)}.values())[::-1] or [_LOCAL], None


def _read_names(answer: Reply) -> list[str]:
    document = read_json(answer.body)
    rows = document if isinstance(document, list) else rows_of(answer.body)
    names = [
        next((row[key] for key in _NAME_KEYS if isinstance(row.get(key), str)), None)
        if isinstance(row, dict)
        else row
        for row in rows
    ]
    return [name.strip() for name in names if isinstance(name, str) and name.strip()]


async def _read_live(api: ObjectApi, found: _Models) -> None:
    """Read the live models, which come in one answer."""
    try:
        answer, rows = await api.get(LIVE, lambda answer: rows_of(answer.body))
    except AccessReviewError as error:
        found.lost.append(f"Live models could not be read. {reason(error)}")
        found.failures.append(error)
        return
    found.answered = True
    known = {row["_id"] for row in found.rows}
    live = [model(row or {}, server=None) for row in rows]
    page = ObjectPage.of(answer, [row for row in live if row["_id"] is None or row["_id"] not in known])
    found.pages.append(page)


async def _read_permissions(api: ObjectApi, report: ListReport, rows: list[Record]) -> None:
    """Read the permissions of the extract models whose records do not have them, one by one."""
    asked = Asked()
    done = 0
    bare = [row for row in rows if not isinstance(row.get("shares"), list)]

    async def one(row: Record) -> None:
        nonlocal done
        path = f"{_CUBES}/{quote(row['server'] or '', safe='')}/{quote(row['title'] or '', safe='')}/permissions"
        try:
            answer, shares = await api.get(path, _read_permissions_of)
        except AccessReviewError as error:
            asked.fail(row["title"] or row["_id"], error)
            return
        done += 1
        asked.succeed()
        api.note_answer(answer, "model_permissions")
        api.advance(_PROGRESS, done, len(bare))
        row["shares"] = shares

    await api.for_each([row for row in bare if row["kind"] == "extract"], one, asked)
    unread = [row["title"] or row["_id"] for row in bare if not isinstance(row.get("shares"), list)]
    asked.failed = unread
    asked.succeeded = len(rows) - len(unread)
    if rows:
        parts_read(report, "permissions_read", "data model", asked, len(rows))


def _read_permissions_of(answer: Reply) -> list[Record]:
    shares = model_shares(read_object(answer).get("shares"))
    if shares is None:
        raise BadAnswerError("the answer has no list of permissions")
    return shares


class _RowRules:
    """Reads the row rules of each model. Whether those of extract and of live models can be read is counted apart."""

    def __init__(self, api: ObjectApi, report: ListReport) -> None:
        self._api = api
        self._report = report
        self._asked = {"extract": Asked(), "live": Asked()}
        self._pages: list[ObjectPage] = []
        self._ids: set[str] = set()
        self._done = 0

    async def read(self, rows: list[Record], *, is_whole: bool) -> None:
        """Read the rules of these models; ``is_whole`` says that the list of models is complete."""
        for kind, asked in self._asked.items():
            await self._api.for_each(
                [row for row in rows if row["kind"] == kind], lambda row: self._read_one(row, len(rows)), asked
            )
        for row in rows:
            row.setdefault("hasRowRules", False)
        self._api.keep("row_rules", self._pages)
        succeeded = sum(asked.succeeded for asked in self._asked.values())
        last_reason = " ".join(
            dict.fromkeys(asked.last_reason for asked in self._asked.values() if asked.last_reason)
        )
        if rows and not succeeded:
            self._report.unread([error for asked in self._asked.values() for error in asked.failures], last_reason)
            return
        rules = sum(len(page.rows) for page in self._pages)
        self._api.advance("row rules", rules, rules)
        self._report.add("read", "PASS", f"{counted(rules, 'row rule')} of {counted(succeeded, 'data model')} read.")
        merged = Asked(
            succeeded,
            failed=[row["title"] or row["_id"] for row in rows if not row["hasRowRules"]],
            last_reason=last_reason,
        )
        parts_read(self._report, "models_read", "data model", merged, len(rows))
        if not is_whole:
            self._report.add("list_complete", "FAIL", "The list of data models is not complete.")

    async def _read_one(self, row: Record, total: int) -> None:
        asked = self._asked[row["kind"]]
        title = quote(row["title"] or "", safe="")
        server = quote(row["server"] or "", safe="")
        path = f"{LIVE}/{title}/datasecurity" if row["kind"] == "live" else f"{_CUBES}/{server}/{title}/datasecurity"

        def read(answer: Reply) -> list[Record]:
            found: list[Any] = rows_of(answer.body)
            return [
                row_rule(rule or {}, row["_id"], number, self._api.row_key)
                for number, rule in enumerate(found, start=1)
            ]

        try:
            answer, rules = await self._api.get(path, read, is_private=True)
        except AccessReviewError as error:
            asked.fail(row["title"] or row["_id"], error)
            return
        asked.succeed()
        for position, rule in enumerate(rules, start=1):  # an id that other rules have is made one of its own
            if rule["_id"] in self._ids:
                rule["_id"] = f"{row['_id']}:{position}:{rule['_id']}"
            self._ids.add(rule["_id"])
        row["hasRowRules"] = True
        self._done += 1
        self._api.advance(_PROGRESS, self._done, total)
        if rules:
            self._pages.append(ObjectPage.of(answer, rules))
        else:
            self._api.note_answer(answer, "row_rules")
