"""Signing off: what stands in the way is told; otherwise the campaign is frozen and sealed."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline import resources
from pipeline.errors import GateError, WarehouseError
from pipeline.evidence.signature import SigningKey
from pipeline.reporting import sign_off
from pipeline.review import campaign as campaigns
from pipeline.review.campaign import Campaign
from pipeline.warehouse import database, saved
from pipeline.warehouse.database import Connection

__all__ = ["quality", "sign", "to_sign"]

_SHOWN = 10


def quality(connection: Connection, campaign: str) -> dict[str, Any]:
    """Return what was decided and how, of the campaign that is held in ``current_items``."""
    return campaigns.rows(connection, "quality", campaign=campaign)[0]


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

    Killed after it was recorded and before the folder had its name, the same call makes the folder again.

    Raises:
        GateError: it is signed already, something is undecided or wrongly decided, or there is no report to rest on.
        WarehouseError: the database shows another build than the campaign is about.
        RenderError: a file cannot be written; nothing is signed then.
    """
    campaigns.hold_current(connection, campaign.campaign)
    folder = directory / f"{campaign.snapshot_id}-signoff-{campaign.campaign}"
    on_record = _on_record(connection, campaign, folder, (by, email, role)) if campaign.is_signed else None
    if on_record is None:
        _refuse_blocked(connection, campaign.campaign)
    signed_at, manifest_sha256 = on_record or (now, None)
    _require_build(connection, campaign)
    previous = _manifest_of(connection, campaign)
    query = saved.find(saved.load_queries(resources.sql() / "review"), "decisions", {"campaign": None})
    connection.execute(f"create or replace temp table signed as {query.sql}", {"campaign": campaign.campaign})
    attestation: dict[str, Any] = {
        "campaign": campaign.campaign,
        "scope": campaign.scope,
        "opened_at": campaign.opened_at,
        "signed_by": by,
        "email": email,
        "role": role,
        "signed_at": signed_at,
    }

    # The row is what counts: it is there before the folder has its name, and the folder can be made again from it.
    def record(sealed_sha256: str) -> None:
        if manifest_sha256 is None:
            with database.transaction(connection):
                connection.execute(
                    "insert into review.sign_offs values ($1, $2, $3, $4, $5, $6, $7, $8)",
                    [campaign.campaign, campaign.snapshot_id, by, email, role, now, folder.name, sealed_sha256],
                )
        elif sealed_sha256 != manifest_sha256:
            raise GateError(
                "the sealed folder of the sign-off is gone, and would not be the same if it were made again",
                where=str(folder),
                hint="use the program and the signing key it was signed with, or bring the folder back from a copy",
            )

    return sign_off.write(
        connection,
        folder,
        decisions="signed",
        attestation=attestation,
        quality=quality(connection, campaign.campaign),
        reviewers=campaigns.rows(connection, "progress"),
        revocations=saved.rows(connection, resources.sql() / "remediation", "campaign", campaign=campaign.campaign),
        previous_manifest_sha256=previous,
        key=key,
        record=record,
    )


def to_sign(connection: Connection, name: str | None, directory: Path) -> Campaign:
    """Return the campaign that is meant: of that name, else the open one, else the last if its folder is missing.

    Raises:
        UsageError: it is not clear which is meant.
    """
    if name is None:
        row = connection.execute(
            """
            select campaign, folder from review.sign_offs
            where not exists (
                select 1 from review.campaigns where campaign not in (select campaign from review.sign_offs)
            )
            order by signed_at desc, campaign desc limit 1
            """
        ).fetchone()
        if row is not None and not (directory / row[1]).exists():
            return campaigns.find(connection, row[0])
    return campaigns.find(connection, name)


def _on_record(
    connection: Connection, campaign: Campaign, folder: Path, signer: tuple[str, str, str]
) -> tuple[datetime, str]:
    """Return when a campaign was signed off and the hash of its manifest, if its folder still has to be made."""
    [(by, email, role, signed_at, manifest_sha256)] = connection.execute(
        "select signed_by, signed_email, signed_role, signed_at, manifest_sha256 from review.sign_offs "
        "where campaign = $campaign",
        {"campaign": campaign.campaign},
    ).fetchall()
    if folder.exists():
        raise GateError(
            f"the campaign '{campaign.campaign}' is signed off already", where="review.sign_offs", hint="open another"
        )
    if signer != (by, email, role):
        raise GateError(
            f"the campaign '{campaign.campaign}' is signed off by {by} ({email}, {role}), and its folder is missing",
            where=str(folder),
            hint="give the same --by, --email and --role to have the folder made again, or bring it back",
        )
    return signed_at, manifest_sha256


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
