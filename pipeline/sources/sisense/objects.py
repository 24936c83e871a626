"""Objects: what the accounts of one Sisense can reach, and how they sign in. Everything is only read.

The lists do not depend on each other, so they are read at the same time, within the limit of requests at once. None
of them can fail the extract: what could not be read is said by the checks of its list.
"""

from __future__ import annotations

import asyncio

from pipeline.sources.beside import beside
from pipeline.sources.extract import Extraction
from pipeline.sources.sisense.dashboards import read_dashboards, read_folders
from pipeline.sources.sisense.models import read_models
from pipeline.sources.sisense.object_checks import ListReport
from pipeline.sources.sisense.object_lists import ObjectApi, ObjectPage
from pipeline.sources.sisense.posture import read_mailed_reports, read_seats, read_sign_on, read_tenants
from pipeline.sources.sisense.rest import SisenseApi
from pipeline.spool import Observation

__all__ = ["read_objects"]


async def read_objects(api: SisenseApi, extraction: Extraction, row_key: bytes) -> list[Observation]:
    """Read every list of objects into the spool; return their checks.

    ``row_key`` is the key of the hashes of row values. A list that is not complete is noted: with
    ``objects = true`` also one that the source does not have.
    """
    objects = ObjectApi(api, extraction, row_key)
    posture: list[ObjectPage] = []
    async with beside() as start:
        found: list[ListReport | tuple[ListReport, ListReport]] = list(
            await asyncio.gather(
                start(read_dashboards(objects)),
                start(read_folders(objects)),
                start(read_models(objects)),
                start(read_seats(objects, posture)),
                start(read_sign_on(objects, posture)),
                start(read_mailed_reports(objects)),
                start(read_tenants(objects)),
            )
        )
    objects.keep("posture", posture)
    reports: list[ListReport] = []
    for each in found:
        reports += each if isinstance(each, tuple) else [each]
    for report in reports:
        if report.failures:
            _note(extraction, report, f"not complete: {report.failures}")
        elif report.absence and extraction.job.source.objects is True:
            _note(extraction, report, f"not available: {report.absence}")
    return [check for report in reports for check in report.checks]


def _note(extraction: Extraction, report: ListReport, trouble: str) -> None:
    extraction.job.note(f"{report.name.replace('_', ' ')} of '{extraction.job.source.name}' are {trouble}")
