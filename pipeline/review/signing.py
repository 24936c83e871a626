"""Sign-off: refused while an item blocks it; otherwise the campaign is recorded as signed and sealed in a folder."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline import resources
from pipeline.clock import as_stored
from pipeline.errors import GateError, WarehouseError
from pipeline.evidence.sealing import Proofs
from pipeline.reporting import sign_off
from pipeline.review import campaign as campaigns
from pipeline.review.campaign import Campaign
from pipeline.warehouse import database, saved
from pipeline.warehouse.database import Connection

__all__ = ["Signer", "find_campaign", "sign"]

#: Blockers that an error lists.
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Signer:
    """The person who signs: name, e-mail address and role."""

    by: str
    email: str
    role: str


def sign(
    connection: Connection,
    campaign: Campaign,
    signer: Signer,
    directory: Path,
    *,
    now: datetime,
    proofs: Proofs,
) -> tuple[Path, ...]:
    """Sign off a campaign and write its sealed folder below ``directory``; return the files.

    The snapshot of the campaign becomes the baseline. If an earlier call recorded the sign-off and was interrupted
    before its folder was in place, the same call writes the folder again.

    Raises:
        GateError: it is signed already, an item blocks it, or the build has no sealed report.
        WarehouseError: the current build is not the one that was reviewed.
        RenderError: a file cannot be written; the campaign is not signed then.
    """
    name = campaign.campaign
    folder = directory / f"{campaign.snapshot_id}-signoff-{name}"
    signed_at, recorded_sha256 = now, None
    if campaign.is_signed:
        signed_at, recorded_sha256 = _recorded(connection, campaign, folder, signer)
    else:
        _refuse_blocked(connection, name)
    _require_build(connection, campaign)

    # The row decides. It is written before the folder takes its name, and the folder can be made again from it.
    def record(manifest_sha256: str) -> None:
        if recorded_sha256 is None:
            _record(connection, campaign, signer, now, (folder.name, manifest_sha256))
        elif manifest_sha256 != recorded_sha256:
            raise GateError(
                "the sealed folder of the sign-off is missing, and writing it again would not give the same files",
                where=str(folder),
                hint="use the program version and the key of the sign-off, or restore the folder from a copy",
            )

    return sign_off.write(
        connection,
        folder,
        sign_off.SignOffContents(
            decisions=saved.statement("review", "decisions"),
            history=saved.statement("review", "decision_history"),
            attestation=_attestation(campaign, signer, signed_at),
            quality=asdict(campaigns.quality(connection, name)),
            reviewers=campaigns.rows(connection, "progress", campaign=name),
            revocations=saved.rows(connection, resources.sql() / "remediation", "campaign", campaign=name),
        ),
        previous_manifest_sha256=_newest_report(connection, campaign),
        proofs=proofs,
        record=record,
    )


def find_campaign(connection: Connection, name: str | None, directory: Path) -> Campaign:
    """Return the campaign to sign: by name, else the open one, else the last one whose sealed folder is missing.

    Raises:
        UsageError: there is no campaign of that name, or none or several are open.
    """
    unsealed = campaigns.find_unsealed(connection, directory) if name is None else None
    return unsealed or campaigns.find(connection, name)


def _attestation(campaign: Campaign, signer: Signer, signed_at: datetime) -> dict[str, Any]:
    return {
        "campaign": campaign.campaign,
        "scope": campaign.scope,
        "opened_at": campaign.opened_at,
        "signed_by": signer.by,
        "email": signer.email,
        "role": signer.role,
        "signed_at": signed_at,
    }


def _recorded(connection: Connection, campaign: Campaign, folder: Path, signer: Signer) -> tuple[datetime, str]:
    """Return when a campaign whose folder is missing was signed, and the recorded hash of its manifest."""
    [row] = campaigns.rows(connection, "sign_off", campaign=campaign.campaign)
    recorded = Signer(row["signed_by"], row["signed_email"], row["signed_role"])
    if folder.exists():
        raise GateError(
            f"the campaign '{campaign.campaign}' is signed off already", where="review.sign_offs", hint="open another"
        )
    if signer != recorded:
        raise GateError(
            f"the campaign '{campaign.campaign}' is signed off by {recorded.by} ({recorded.email}, {recorded.role}), "
            "and its folder is missing",
            where=str(folder),
            hint="repeat the same --by, --email and --role to write the folder again, or restore it from a copy",
        )
    return row["signed_at"].replace(tzinfo=UTC), str(row["manifest_sha256"])


def _record(
    connection: Connection, campaign: Campaign, signer: Signer, now: datetime, sealed: tuple[str, str]
) -> None:
    """Record the sign-off; ``sealed`` is the name of its folder and the hash of its manifest."""
    folder, manifest_sha256 = sealed
    with database.transaction(connection):
        campaigns.rows(
            connection,
            "sign",
            campaign=campaign.campaign,
            snapshot_id=campaign.snapshot_id,
            signed_by=signer.by,
            signed_email=signer.email,
            signed_role=signer.role,
            signed_at=as_stored(now),
            sealed_folder=folder,
            manifest_sha256=manifest_sha256,
        )


def _refuse_blocked(connection: Connection, name: str) -> None:
    blockers = campaigns.blockers(connection, name)
    if not blockers:
        return
    counts = Counter(blocker.problem for blocker in blockers)
    summary = ", ".join(f"{count} {problem}" for problem, count in sorted(counts.items()))
    shown = [
        f"{blocker.display_name} - {blocker.entitlement_name} ({blocker.reviewer_email}): {blocker.problem}"
        for blocker in blockers[:_SHOWN]
    ]
    if len(blockers) > _SHOWN:
        shown.append(f"and {len(blockers) - _SHOWN} more")
    raise GateError(
        f"the campaign cannot be signed off: {summary}: {'; '.join(shown)}",
        where=f"campaign {name}",
        hint="'access-review review status' shows who still has to decide",
    )


def _require_build(connection: Connection, campaign: Campaign) -> None:
    row = connection.execute("select build_id from reference.snapshot").fetchone()
    if row is None or row[0] != campaign.build_id:
        raise WarehouseError(
            "the current build is not the one that was reviewed",
            where=f"campaign {campaign.campaign}",
            hint=f"run 'access-review build --snapshot {campaign.snapshot_id}' with the same policy and roster",
        )


def _newest_report(connection: Connection, campaign: Campaign) -> str:
    """Return the manifest's hash of the newest report of the campaign's build."""
    found = campaigns.rows(connection, "newest_report", snapshot_id=campaign.snapshot_id, build_id=campaign.build_id)
    if not found:
        raise GateError(
            "the reviewed build has no sealed report to rest the sign-off on",
            where=f"snapshot {campaign.snapshot_id}",
            hint="run 'access-review report' first",
        )
    return str(found[0]["manifest_sha256"])
