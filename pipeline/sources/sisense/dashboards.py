"""Dashboards: the list of all of them, who each is shared with, and their folders.

The list has a row for each owner's dashboard (``dashboardType=owner``). Only a dashboard's own endpoint tells whether
it is public and which addresses were invited, so there is one request for each dashboard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pipeline.errors import AccessReviewError
from pipeline.sources.errors import RefusedError
from pipeline.sources.exchange import Reply
from pipeline.sources.sisense.object_checks import Asked, ListReport, reason
from pipeline.sources.sisense.object_lists import ObjectApi, ObjectPage, PagedObjects, choose, read_object
from pipeline.sources.sisense.object_records import Record, dashboard, flag, folder, rows_of, shares_of
from pipeline.wording import counted

__all__ = ["DASHBOARDS", "FOLDERS", "read_dashboards", "read_folders"]

#: Paths of the lists.
DASHBOARDS, FOLDERS = "/api/v1/dashboards/admin", "/api/v1/folders"
_FIELDS = "oid,title,owner,userId,shares,datasource,parentFolder,instanceType,created,lastUpdated"
_OWNER = {"dashboardType": "owner"}
#: Queries of the list, the preferred one first. Releases refuse keys that they do not know.
_QUERIES: Sequence[Mapping[str, str]] = (
    {**_OWNER, "fields": _FIELDS, "sort": "oid"},
    {**_OWNER, "sort": "oid"},
    _OWNER,
    {"fields": _FIELDS, "sort": "oid"},
    {"sort": "oid"},
    {},
)
#: What progress shows: the list counts up first, then the requests for each dashboard.
_PROGRESS = {"dashboard": "dashboards and their shares"}


@dataclass(frozen=True, slots=True)
class _Sharing:
    """What a dashboard's own endpoint says. None is not known."""

    shares: list[Record] | None
    is_public: bool | None
    invitations: list[Record] | None


async def read_folders(api: ObjectApi) -> ListReport:
    """Read the folders."""
    report = ListReport("folders")
    queries: Sequence[Mapping[str, str]] = ({"fields": "oid,name,parentId,owner"}, {})
    paged, failure = await choose(
        api, [PagedObjects(api, FOLDERS, query, folder) for query in queries], wants_shares=False
    )
    if paged is None:
        return report.unread([failure])
    pages = await _read_paged(api, paged, report, "folder")
    api.keep("folders", pages)
    return report


async def _read_paged(api: ObjectApi, paged: PagedObjects, report: ListReport, thing: str) -> list[ObjectPage]:
    """Read a paged list to its end, add its checks, and return its pages."""
    pages, reading, failure = await api.read_pages(paged, report.name, _PROGRESS.get(thing, f"{thing}s"))
    rows = [row for page in pages for row in page.rows]
    total = len(rows)
    if failure is not None and not total:
        report.unread([failure])
        return pages
    report.add("read", "PASS", f"{counted(total, thing)} read.", observed=total)
    if reading is not None:
        report.add_reading(f"{thing}s", reading)
    if failure is not None:
        report.add("end_proven", "FAIL", f"The list was not read to its end. {reason(failure)}")
    nameless = sum((row.get("oid") or row.get("_id")) is None for row in rows)
    if nameless:
        report.add("ids_present", "FAIL", f"{counted(nameless, thing)} without an id.", expected=0, observed=nameless)
    return pages


async def read_dashboards(api: ObjectApi) -> ListReport:
    """Read the dashboards, then the shares of each."""
    report = ListReport("dashboards")
    paged, failure = await choose(
        api, [PagedObjects(api, DASHBOARDS, query, dashboard) for query in _QUERIES], wants_shares=True
    )
    if paged is None:
        return report.unread([failure])
    pages = await _read_paged(api, paged, report, "dashboard")
    owned = _owned(pages)
    if report.absence is None:
        await _DashboardShares(api, report).read(owned)
    api.keep("dashboards", pages)
    return report


def _owned(pages: Sequence[ObjectPage]) -> list[Record]:
    """Return one record for each dashboard: the owner's, or the first copy if the owner's is not in the list."""
    found: dict[str, Record] = {}
    for page in pages:
        for row in page.rows:
            if (
                row.get("oid") is not None
                and (row["oid"] not in found or found[row["oid"]].get("isCopy"))
                and (row["oid"] not in found or not row.get("isCopy"))
            ):
                found[row["oid"]] = row
    return list(found.values())


class _DashboardShares:
    """Asks for the shares of each dashboard, and adds them to its record."""

    def __init__(self, api: ObjectApi, report: ListReport) -> None:
        self._api = api
        self._report = report
        self._needs_admin_access = False
        self._asked = Asked()
        self._asked_elsewhere = Asked()
        self._public_unknown = 0
        self._done = 0

    async def read(self, rows: list[Record]) -> None:
        """Read the shares of these dashboards, and check that all could be read."""

        async def one(row: Record) -> None:
            await self._read_one(row)
            self._done += 1
            self._api.advance(_PROGRESS["dashboard"], self._done, len(rows))

        # the first shows which form of the request the server accepts
        await self._api.for_each(rows[:1], one, self._asked)
        await self._api.for_each(rows[1:], one, self._asked)
        bare = [row for row in rows if not isinstance(row.get("shares"), list)]
        await self._api.for_each(bare, self._read_elsewhere, self._asked_elsewhere)
        self._check(rows)

    def _check(self, rows: list[Record]) -> None:
        without = [row for row in rows if not isinstance(row.get("shares"), list)]
        if without:
            named = ", ".join(f"'{row.get('title') or row['oid']}'" for row in without[:3])
            self._report.add(
                "shares_read",
                "FAIL",
                f"The shares of {counted(len(without), 'dashboard')} could not be read, such as {named}. "
                f"{self._asked_elsewhere.last_reason or self._asked.last_reason}",
                expected=len(rows),
                observed=len(rows) - len(without),
            )
        elif rows:
            self._report.add("shares_read", "PASS", f"The shares of {counted(len(rows), 'dashboard')} were read.")
        unknown = sum(row.get("isPublic") is None for row in rows)
        if rows and unknown == len(rows) and (self._asked.is_absent or not self._asked.failed):
            self._report.add(
                "public_read",
                "NOT_AVAILABLE",
                "It is not known of any dashboard whether everybody with the link can open it, and who was invited. "
                f"{self._asked.last_reason or 'The answers of the source do not say so.'}",
                expected=len(rows),
                observed=0,
            )
        elif unknown:
            self._report.add(
                "public_read",
                "FAIL",
                f"It is not known of {counted(unknown, 'dashboard')} whether everybody with the link can open it, "
                f"and who was invited. {self._asked.last_reason}".strip(),
                expected=len(rows),
                observed=len(rows) - unknown,
            )
        elif rows:
            self._report.add("public_read", "PASS", f"Read for {counted(len(rows), 'dashboard')}.")

    async def _read_one(self, row: Record) -> None:
        refusal: AccessReviewError | None = None
        for has_admin_access in (self._needs_admin_access, not self._needs_admin_access):
            path = f"/api/shares/dashboard/{quote(row['oid'], safe='')}"
            try:
                answer, sharing = await self._api.get(
                    path, _read_sharing, {"adminAccess": "true"} if has_admin_access else None
                )
            except RefusedError as error:
                refusal = refusal or error
                continue
            except AccessReviewError as error:
                self._asked.fail(row.get("title") or row["oid"], error)
                return
            self._needs_admin_access = has_admin_access
            self._asked.succeed()
            self._api.note_answer(answer, "dashboard_shares")
            row["isPublic"] = sharing.is_public
            if sharing.invitations is not None:
                row["sharesToNew"] = sharing.invitations
            if not isinstance(row.get("shares"), list) and sharing.shares is not None:
                row["shares"] = sharing.shares
            return
        assert refusal is not None  # noqa: S101  both forms were refused
        self._asked.fail(row.get("title") or row["oid"], refusal)

    async def _read_elsewhere(self, row: Record) -> None:
        path = f"/api/v1/dashboards/{quote(row['oid'], safe='')}/shares"
        try:
            answer, shares = await self._api.get(path, lambda answer: shares_of(rows_of(answer.body)))
        except AccessReviewError as error:
            self._asked_elsewhere.fail(row.get("title") or row["oid"], error)
            return
        self._asked_elsewhere.succeed()
        self._api.note_answer(answer, "dashboard_shares")
        row["shares"] = shares


def _read_sharing(answer: Reply) -> _Sharing:
    document: dict[str, Any] = read_object(answer)
    public = document.get("isPublic")
    invited = document.get("sharesToNew")
    invitations = None
    if isinstance(invited, list):
        addresses = [each.get("email") if isinstance(each, dict) else each for each in invited]
        invitations = [{"email": address} for address in addresses if isinstance(address, str)]
    shares = document.get("sharesTo", document.get("shares"))
    return _Sharing(shares_of(shares), flag(public), invitations)
