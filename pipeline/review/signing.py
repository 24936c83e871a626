"""Signing off: what stands in the way is told; otherwise the campaign is frozen and sealed."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline import resources
from pipeline.errors import GateError, WarehouseError
from pipeline.reporting import sign_off
from pipeline.reporting.signature import SigningKey
from pipeline.review import campaign as campaigns
from pipeline.review.campaign import Campaign
from pipeline.warehouse import database, saved
from pipeline.warehouse.database import Connection

__all__ = ["quality", "sign"]

_SHOWN = 10


def quality(connection: Connection) -> dict[str, int]:
    """Return what was decided and how, of the campaign that is held in ``current_items``."""
    return campaigns.rows(connection, "quality")[0]


def sign(
    connection: Connection,
    campaign: Campaign,
    *,
    by: str,
    email: str,
    role: str,
    directory: Path,
    now: datetime,
    key: SigningKey | None,
) -> tuple[Path, ...]:
    """Freeze a campaign and write its sealed folder; return the files. Its snapshot becomes the baseline.

    Raises:
        GateError: it is signed already, something is undecided or wrongly decided, or there is no report to rest on.
        WarehouseError: the database shows another build than the campaign is about.
        RenderError: a file cannot be written; nothing is signed then.
    """
    if campaign.is_signed:
        raise GateError(
            f"the campaign '{campaign.campaign}' is signed off already", where="review.sign_offs", hint="open another"
        )
    campaigns.hold_current(connection, campaign.campaign)
    _refuse_blocked(connection, campaign.campaign)
    _require_build(connection, campaign)
    previous = _manifest_of(connection, campaign)
    query = saved.find(saved.load_queries(resources.sql() / "review"), "decisions", {"campaign": None})
    connection.execute(f"create or replace temp table signed as {query.sql}", {"campaign": campaign.campaign})
    folder = directory / f"{campaign.snapshot_id}-signoff-{campaign.campaign}"
    attestation: dict[str, Any] = {
        "campaign": campaign.campaign,
        "scope": campaign.scope,
        "opened_at": campaign.opened_at,
        "signed_by": by,
        "email": email,
        "role": role,
        "signed_at": now,
    }
    files, manifest = sign_off.write(
        connection,
        folder,
        decisions="signed",
        attestation=attestation,
        quality=quality(connection),
        reviewers=campaigns.rows(connection, "progress"),
        previous_manifest_sha256=previous,
        key=key,
    )
    with database.transaction(connection):
        connection.execute(
            "insert into review.sign_offs values ($1, $2, $3, $4, $5, $6, $7, sha256($8::blob))",
            [campaign.campaign, campaign.snapshot_id, by, email, role, now, folder.name, manifest],
        )
    return files


def _refuse_blocked(connection: Connection, name: str) -> None:
    blockers = campaigns.rows(connection, "blockers", campaign=name)
    if not blockers:
        return
    counts = Counter(row["problem"] for row in blockers)
    told = ", ".join(f"{count} {problem}" for problem, count in sorted(counts.items()))
    shown = [
        f"{row['display_name']} - {row['entitlement_name']} ({row['reviewer_email']}): {row['problem']}"
        for row in blockers[:_SHOWN]
    ]
    raise GateError(
        f"the campaign cannot be signed off: {told}: {'; '.join(shown)}{' ...' if len(blockers) > _SHOWN else ''}",
        where=f"campaign {name}",
        hint="'access-review review status' shows who still has to decide",
    )


def _require_build(connection: Connection, campaign: Campaign) -> None:
    row = connection.execute("select build_id from reference.snapshot").fetchone()
    if row is None or row[0] != campaign.build_id:
        raise WarehouseError(
            "the database shows another build than the one that was reviewed",
            where=f"campaign {campaign.campaign}",
            hint=f"run 'access-review build --snapshot {campaign.snapshot_id}' with the same policy and roster",
        )


def _manifest_of(connection: Connection, campaign: Campaign) -> str:
    row = connection.execute(
        """
        select manifest_sha256 from meta.reports where snapshot_id = $id and build_id = $build
        order by written_at desc, manifest_sha256 limit 1
        """,
        {"id": campaign.snapshot_id, "build": campaign.build_id},
    ).fetchone()
    if row is None:
        raise GateError(
            "the build that was reviewed has no sealed report yet, which a sign-off rests on",
            where=f"snapshot {campaign.snapshot_id}",
            hint="run 'access-review report' first",
        )
    return str(row[0])
