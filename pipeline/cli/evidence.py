"""``verify`` checks a report folder; ``keygen`` makes the keys that sign one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.terminal import Terminal
from pipeline.errors import GateError
from pipeline.wording import counted

if TYPE_CHECKING:
    from pipeline.evidence.verification import FolderVerification

__all__ = ["register"]

_SIGNATURES = {
    "unsigned": "unsigned: the author cannot be verified",
    "trusted": "valid for the key of --key:",
    "unproven": "valid for the key inside the folder, which proves nothing; give a key that you trust with --key:",
    "bad": "INVALID",
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: access-review verify out/20261101T000000Z-4f2a --key auditor.pub --rebuild")(verify)
    app.command(epilog="Example: access-review keygen --out ~/.keys/access-review.pem")(keygen)


def verify(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A report folder.")],
    key: Annotated[
        Path | None,
        typer.Option(metavar="PUBLIC", help="Public key of the signer, obtained from them and not from the folder."),
    ] = None,
    rebuild: Annotated[
        bool,
        typer.Option("--rebuild", help="Make the CSV files again from raw/, sql/ and inputs/, and compare them."),
    ] = False,
) -> None:
    """Check a report folder against its manifest and signature.

    Needs no configuration, no database and no network.
    """
    from pipeline.evidence.signature import PublicKey
    from pipeline.evidence.verification import verify as check
    from pipeline.reporting.report import write_csv

    terminal: Terminal = context.obj
    trusted = PublicKey.read(key) if key else None
    found = check(folder, key=trusted, rebuild=write_csv if rebuild else None)
    for note in found.notes:
        terminal.note(note)
    terminal.result(_text(folder, found), _document(folder, found))
    if found.problems:
        what = counted(len(found.problems), "problem")
        raise GateError(
            f"the folder differs from its manifest or signature: {what}",
            where=str(folder),
            hint=_hint(found),
        )


def _hint(found: FolderVerification) -> str:
    if all(problem.is_system_file for problem in found.problems):
        return "delete these files and verify again: no sealed file has changed"
    return "do not rely on this folder; ask its author for it again"


def keygen(
    context: typer.Context,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="File for the private key; the public key goes to FILE.pub.")
    ] = Path("access-review-signing-key.pem"),
) -> None:
    """Make a key pair for signing reports.

    Existing files are never overwritten.
    """
    from pipeline.evidence.signature import KEY_VARIABLE, generate

    terminal: Terminal = context.obj
    public_path, public = generate(out)
    terminal.result(
        f"private key  {out}\npublic key   {public_path}\nfingerprint  {public.fingerprint}",
        {"private_key": out, "public_key": public_path, "fingerprint": public.fingerprint},
    )
    terminal.say(f"keep the private key secret and set {KEY_VARIABLE} to its path; publish the public key")


def _text(folder: Path, found: FolderVerification) -> str:
    lines = [f"{problem.path}: {problem.what}" for problem in found.problems]
    if found.document:
        if found.document.get("pseudonymised"):
            lines.append("pseudonyms   yes: names, addresses and ids of people are replaced")
        lines += [
            f"snapshot     {found.document['snapshot_id']}",
            f"data sha256  {found.document['data_sha256']}",
            f"chained to   {found.document['previous_manifest_sha256'] or 'nothing: this is the first report'}",
        ]
    signer = f" {found.fingerprint}" if found.fingerprint else ""
    lines.append(f"signature    {_SIGNATURES[found.signature]}{signer}")
    if found.rebuilt is not None:
        lines.append(f"rebuilt      equal: {', '.join(found.rebuilt) or 'none'}")
    verdict = "NOT VERIFIED" if found.problems else "verified"
    lines.append(f"{verdict}: {folder}, {counted(found.files, 'file')}, {counted(found.bytes, 'byte')}")
    return "\n".join("".join(c if c.isprintable() else " " for c in line) for line in lines)


def _document(folder: Path, found: FolderVerification) -> dict[str, object]:
    return {
        "folder": folder,
        "verified": not found.problems,
        "problems": [{"path": problem.path, "problem": problem.what} for problem in found.problems],
        "snapshot_id": found.document.get("snapshot_id"),
        "data_sha256": found.document.get("data_sha256"),
        "previous_manifest_sha256": found.document.get("previous_manifest_sha256"),
        "signature": found.signature,
        "fingerprint": found.fingerprint,
        "rebuilt": found.rebuilt,
        "notes": found.notes,
    }
