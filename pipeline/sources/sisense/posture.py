"""Seats, single sign-on, lockout, tenants and reports sent by mail.

The settings of single sign-on hold a shared secret and certificates. Only named keys of them are kept, and no error
quotes the answer. The settings ``security`` and ``api`` hold tokens and are never requested.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from pipeline.errors import AccessReviewError
from pipeline.sources.errors import BadAnswerError
from pipeline.sources.exchange import Reply
from pipeline.sources.records import read_json
from pipeline.sources.sisense.object_checks import Asked, ListReport, parts_read, reason
from pipeline.sources.sisense.object_lists import ObjectApi, ObjectPage, read_object
from pipeline.sources.sisense.object_records import (
    Record,
    lockout,
    mailed_report,
    rows_of,
    seats,
    sign_on,
    tenant,
)
from pipeline.wording import counted

__all__ = [
    "LOCKOUT",
    "REPORTS",
    "SEATS",
    "SSO",
    "TENANTS",
    "read_mailed_reports",
    "read_seats",
    "read_sign_on",
    "read_tenants",
]

#: Paths of the settings and lists.
SEATS = "/api/v1/account/get_license_info"
SSO, LOCKOUT = "/api/v1/settings/sso", "/api/v1/settings/login_lockout"
TENANTS, REPORTS = "/api/v1/tenants", "/api/v1/report_manager/reports"
_REPORTS_A_PAGE = 50
_MOST_PAGES = 1_000

_Pick = Callable[[Mapping[str, Any]], Record | None]


async def read_seats(api: ObjectApi, posture: list[ObjectPage]) -> ListReport:
    """Read the seats of the licence; what is kept is added to ``posture``."""
    report = ListReport("seats")
    failure = await _read_setting(api, SEATS, seats, posture)
    if failure is not None:
        return report.unread([failure])
    report.add("read", "PASS", "The seats of the licence were read.")
    return report


async def read_sign_on(api: ObjectApi, posture: list[ObjectPage]) -> ListReport:
    """Read the settings of single sign-on and of the lockout; what is kept is added to ``posture``."""
    report = ListReport("sign_on")
    failures = {
        "single sign-on": await _read_setting(api, SSO, sign_on, posture),
        "the lockout after failed logins": await _read_setting(api, LOCKOUT, lockout, posture),
    }
    lost = {what: failure for what, failure in failures.items() if failure is not None}
    if len(lost) == len(failures):
        return report.unread(list(lost.values()))
    report.add("read", "PASS", "The settings of single sign-on and of the lockout were read.")
    for what, failure in lost.items():
        report.add("complete", "FAIL", f"The settings of {what} could not be read. {reason(failure)}")
    return report


async def _read_setting(
    api: ObjectApi, path: str, pick: _Pick, posture: list[ObjectPage]
) -> AccessReviewError | None:
    """Read one answer and keep what ``pick`` takes from it; return the failure if nothing was kept."""

    def read(answer: Reply) -> Record:
        kept = pick(read_object(answer))
        if kept is None:
            raise BadAnswerError("the answer has none of the values that were expected")
        return kept

    try:
        answer, kept = await api.get(path, read, is_private=True)
    except AccessReviewError as error:
        return error
    posture.append(ObjectPage.of(answer, [kept]))
    api.advance("settings", len(posture), None)
    return None


async def read_tenants(api: ObjectApi) -> ListReport:
    """Read the tenants, which come in one answer."""
    report = ListReport("tenants")
    try:
        answer, rows = await api.get(TENANTS, lambda answer: rows_of(answer.body))
    except AccessReviewError as error:
        return report.unread([error])
    kept = [tenant(row or {}) for row in rows]
    api.advance("tenants", len(kept), len(kept))
    api.keep("tenants", [ObjectPage.of(answer, kept)])
    report.add("read", "PASS", f"{counted(len(kept), 'tenant')} read.")
    return report


async def read_mailed_reports(api: ObjectApi) -> ListReport:
    """Read the reports that are sent by mail, then the recipients of each."""
    report = ListReport("mailed_reports")
    found: dict[str, tuple[Reply, Record]] = {}
    nameless = 0
    gap: str | None = f"The list has more than {_MOST_PAGES:,} pages."
    for page in range(1, _MOST_PAGES + 1):
        try:
            answer, (rows, is_last) = await api.get(
                REPORTS, _read_report_page, {"page": page, "limit": _REPORTS_A_PAGE}
            )
        except AccessReviewError as error:
            if page == 1:
                return report.unread([error])
            gap = f"Page {page} could not be read. {reason(error)}"
            break
        api.note_answer(answer, "mailed_reports")
        new = {row["_id"]: (answer, row) for row in rows if row["_id"] is not None and row["_id"] not in found}
        found |= new
        nameless += sum(row["_id"] is None for row in rows)
        api.advance("mailed reports", len(found), None)
        if is_last or not rows:
            gap = None
            break
        if not new:
            gap = f"Page {page} only repeats reports of earlier pages, so the end of the list was not seen."
            break
    report.add("read", "PASS", f"{counted(len(found), 'mailed report')} read.")
    report.add("end_proven", "FAIL" if gap else "PASS", gap or "The last page was read.")
    if nameless:
        report.add("ids_present", "FAIL", f"{counted(nameless, 'mailed report')} without an id.")
    await _read_recipients(api, report, found)
    return report


async def _read_recipients(api: ObjectApi, report: ListReport, found: dict[str, tuple[Reply, Record]]) -> None:
    asked = Asked()
    pages: list[ObjectPage] = []

    async def one(report_id: str) -> None:
        listed_answer, listed = found[report_id]
        try:
            answer, kept = await api.get(
                f"{REPORTS}/{quote(report_id, safe='')}", _read_report, {"recipientsInfo": "true"}
            )
        except AccessReviewError as error:
            if listed["recipients"] is None:
                asked.fail(report_id, error)
            else:  # the list had them, if without addresses
                asked.succeed()
            pages.append(ObjectPage.of(listed_answer, [listed]))
            return
        asked.succeed()
        merged = {key: listed[key] if kept[key] in (None, []) else kept[key] for key in kept}
        pages.append(ObjectPage.of(answer, [{**merged, "_id": report_id}]))

    await api.for_each(list(found), one, asked)
    api.keep("mailed_reports", pages)
    if found:
        parts_read(report, "recipients_read", "mailed report", asked, len(found))


def _read_report_page(answer: Reply) -> tuple[list[Record], bool]:
    document = read_json(answer.body)
    is_last = isinstance(document, list)  # a bare list has no pages
    if isinstance(document, dict):
        pagination = document.get("pagination")
        is_last = isinstance(pagination, dict) and pagination.get("isLastPage") is True
    return [mailed_report(row or {}) for row in rows_of(answer.body)], is_last


def _read_report(answer: Reply) -> Record:
    document = read_object(answer)
    inner = document.get("data")
    return mailed_report(inner if isinstance(inner, dict) else document)
