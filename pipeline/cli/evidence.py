"""``verify`` checks report folders; ``keygen`` makes the keys that sign them; ``evidence stamp`` adds time stamps."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import chains, verdicts
from pipeline.cli.commands import Commands
from pipeline.cli.terminal import Terminal
from pipeline.clock import as_stored
from pipeline.errors import ConfigurationError, GateError
from pipeline.wording import counted

if TYPE_CHECKING:
    from pipeline.evidence.time_stamp import Authorities

__all__ = ["register"]

_commands = Commands(name="evidence", help="Add a time stamp to a report folder.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: access-review verify out/20261101T000000Z-4f2a --key auditor.pub --rebuild")(verify)
    app.command(epilog="Example: access-review keygen --out ~/.keys/access-review.pem")(keygen)
    _commands.command(epilog="Example: access-review evidence stamp out/20261101T000000Z-4f2a")(stamp)
    app.add_typer(_commands)


def verify(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A report folder; with --chain, a directory of them.")
    ],
    key: Annotated[
        Path | None,
        typer.Option(metavar="PUBLIC", help="Public key of the signer, obtained from them and not from the folder."),
    ] = None,
    tsa_certificate: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Root certificate of the time-stamping authority; checks the time stamp."),
    ] = None,
    rebuild: Annotated[
        bool,
        typer.Option("--rebuild", help="Make the CSV files again from raw/, sql/ and inputs/, and compare them."),
    ] = False,
    chain: Annotated[
        bool,
        typer.Option("--chain", help="Check all report folders in DIR, and that none is missing, moved or replaced."),
    ] = False,
) -> None:
    """Check report folders: manifest, signature, time stamp.

    Needs no configuration, no database and no network.
    """
    from pipeline.evidence.signature import PublicKey
    from pipeline.evidence.verification import verify as check
    from pipeline.reporting.report import write_csv

    terminal: Terminal = context.obj
    trusted = PublicKey.read(key) if key else None
    authorities = _authorities(tsa_certificate) if tsa_certificate else None
    verified = functools.partial(check, key=trusted, authorities=authorities, rebuild=write_csv if rebuild else None)
    if chain:
        chains.show(terminal, folder, verified)
        return
    found = verified(folder)
    for note in found.notes:
        terminal.note(verdicts.printable([note]))
    terminal.result(verdicts.text(folder, found), verdicts.document(folder, found))
    if found.problems:
        what = counted(len(found.problems), "problem")
        raise GateError(
            f"the folder differs from its manifest, signature or time stamp: {what}",
            where=str(folder),
            hint=verdicts.hint(found.problems, "do not rely on this folder; ask its author for it again"),
        )


def stamp(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A report folder without a time stamp.")],
) -> None:
    """Add a time stamp to a folder that was sealed without one.

    The authority is 'timestamp_url' in [evidence] of the configuration. Only the hash of the manifest is sent.
    """
    from pipeline.evidence.manifest import TIME_STAMP
    from pipeline.evidence.stamping import stamp as add
    from pipeline.evidence.verification import verify as check

    terminal: Terminal = context.obj
    url = terminal.settings().evidence.timestamp_url
    if url is None:
        raise ConfigurationError(
            "no time-stamping authority is configured",
            where=str(terminal.config),
            hint='add timestamp_url = "http://timestamp.example.com" to [evidence]',
        )
    found = check(folder)
    if found.problems:
        raise GateError(
            f"the folder is not stamped, because it differs from its manifest, signature or time stamp: "
            f"{counted(len(found.problems), 'problem')}",
            where=str(folder),
            hint=f"'access-review verify {folder}' names them",
        )
    if found.time_stamp.state not in {"none", "missing"}:
        terminal.say("the folder has a time stamp already; it is kept")
    added = add(folder, url, os.environ)
    terminal.result(
        f"time stamp   {verdicts.stamped(added)}\n{folder / TIME_STAMP}",
        {"folder": folder, "stamped_at": as_stored(added.stamped_at), "authority": added.authority},
    )


def _authorities(path: Path) -> Authorities:
    from pipeline.evidence.time_stamp import Authorities

    return Authorities.read(path)


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
