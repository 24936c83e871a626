"""Checks a report folder against its manifest and signature, and rebuilds its CSV files from its source rows and SQL.

Only the folder is needed: no configuration, database, network or secret. Nothing in the folder is trusted: paths in
the manifest are compared with those in the folder and never opened.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import AccessReviewError, RenderError, UsageError
from pipeline.evidence import manifest, stamp_check
from pipeline.evidence.manifest import MANIFEST, SIDE_FILES, SIGNATURE, TIME_STAMP, SealedFile
from pipeline.evidence.signature import PUBLIC_KEY_FILE, PublicKey
from pipeline.evidence.stamp_check import StampCheck
from pipeline.warehouse import archive, database
from pipeline.warehouse.database import Connection
from pipeline.wording import counted

if TYPE_CHECKING:
    from pipeline.evidence.time_stamp import Authorities

__all__ = ["FolderVerification", "Problem", "WriteTables", "kind_without_data", "verify"]

#: Writes the CSV files of the build that a database holds, each to the path that its name is given.
WriteTables = Callable[[Connection, Callable[[str], Path]], object]

#: What is sealed without the data of a build -> all files that such a folder may have.
_WITHOUT_DATA = {
    "sign-off": frozenset({"decisions.csv", "decision_history.csv", "sign-off.pdf"}),
    "remediation": frozenset({"remediation.csv"}),
}
#: Files that file managers and office programs leave in folders that they show: macOS (.DS_Store, ._name,
#: __MACOSX in archives), Windows (Thumbs.db, desktop.ini), KDE (.directory), Synology (@eaDir), Microsoft Office
#: (~$name) and LibreOffice (.~lock.name#).
_SYSTEM_FILE = re.compile(
    r"(?:.*/)?(?:\.ds_store|\._[^/]+|(?:eh)?thumbs\.db|desktop\.ini|\.directory|~\$[^/]+|\.~lock\.[^/]+#)"
    r"|(?:.*/)?(?:__macosx|@eadir)/.+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A difference between the folder and its seal: the file, and what is wrong with it.

    ``is_system_file``: the file was added, and has a name that operating systems or office programs give.
    """

    path: str
    what: str
    is_system_file: bool = False


@dataclass(frozen=True, slots=True)
class FolderVerification:
    """The result of a verification. ``document`` is the manifest, empty if it cannot be read.

    ``signature`` is ``unsigned``, ``trusted`` (valid for the key that the caller trusts), ``unproven`` (valid for the
    key inside the folder, which anyone can put there) or ``bad``. ``rebuilt`` names the CSV files whose rebuild is
    equal; it is None without a rebuild.
    """

    document: Mapping[str, Any]
    files: int
    bytes: int
    problems: tuple[Problem, ...]
    signature: str
    fingerprint: str | None
    time_stamp: StampCheck
    rebuilt: tuple[str, ...] | None
    notes: tuple[str, ...]


def verify(
    folder: Path,
    *,
    key: PublicKey | None = None,
    authorities: Authorities | None = None,
    rebuild: WriteTables | None = None,
) -> FolderVerification:
    """Check a report folder against its manifest, its signature and its time stamp.

    ``key`` is a public key that the caller trusts, ``authorities`` are the certificates; a folder without a signature
    or a time stamp has a problem where they are given. ``rebuild`` writes the CSV files anew, to be compared with
    those of the folder; without it they are not rebuilt.

    Raises:
        UsageError: the folder does not exist or cannot be read, or its manifest has an unknown schema version.
    """
    if not folder.is_dir():
        what = "this is a file, not a folder" if folder.exists() else "the folder does not exist"
        raise UsageError(what, where=str(folder), hint="name a report folder")
    if not (folder / MANIFEST).exists() and not any(folder.iterdir()):
        raise UsageError("the folder is empty", where=str(folder), hint="name a report folder")
    try:
        return _verify(folder, key, authorities, rebuild)
    except OSError as error:
        raise UsageError(
            f"a file cannot be read: {error.strerror}",
            where=str(error.filename or folder),
            hint="check the permissions of the folder and of the files in it",
        ) from error


def _verify(
    folder: Path, key: PublicKey | None, authorities: Authorities | None, rebuild: WriteTables | None
) -> FolderVerification:
    present = manifest.files_below(folder)
    odd = [path for path in present if (folder / path).is_symlink() or not (folder / path).is_file()]
    problems = [Problem(path, "is not a regular file") for path in odd]
    plain = [path for path in present if path not in odd]
    with database.empty() as connection:
        found = manifest.sealed_files(connection, folder, [path for path in plain if path not in SIDE_FILES])
    content = (folder / MANIFEST).read_bytes() if MANIFEST in plain else None
    document, unreadable = _document(content)
    problems += unreadable
    notes: list[str] = []
    if not unreadable:
        problems += _compare(document, found)
        ours, theirs = manifest.tool(), document["tool"]
        differing = [
            f"{name} {theirs.get(name)}, here {ours[name]}" for name in ours if theirs.get(name) != ours[name]
        ]
        if differing:
            notes.append(f"the folder was written with other versions: {'; '.join(differing)}")
    state, signer, wrong = _signature(folder, plain, content, key)
    problems += wrong
    stamped = stamp_check.check(folder, content, document, authorities)
    if stamped.state == "missing":
        notes.append(
            f"the time stamp is missing: {document[manifest.AUTHORITY]} was configured when the folder was sealed; "
            "it did not answer then, or the stamp has been removed since"
        )
    if stamped.problem is not None:
        problems.append(Problem(TIME_STAMP, stamped.problem))
    rebuilt = None
    if rebuild and problems:
        notes.append("not rebuilt: a rebuild needs a folder without problems")
    elif rebuild and document.get(manifest.PSEUDONYMISED):
        notes.append("nothing to rebuild: a folder with pseudonyms has no source rows")
    elif rebuild and (kind := kind_without_data(entry.path for entry in found)):
        notes.append(f"nothing to rebuild: this is the folder of a {kind}; {_basis(folder, document)}")
    elif rebuild:
        rebuilt, differences = _rebuild(folder, rebuild, [entry for entry in found if "/" not in entry.path])
        problems += differences
    return FolderVerification(
        document=document,
        files=len(present),
        bytes=sum(entry.bytes for entry in found),
        problems=tuple(problems),
        signature=state,
        fingerprint=signer.fingerprint if signer else None,
        time_stamp=stamped,
        rebuilt=rebuilt,
        notes=tuple(notes),
    )


def _document(content: bytes | None) -> tuple[dict[str, Any], list[Problem]]:
    """Return the manifest and the problems of its form; it is empty unless all its keys can be used."""
    if content is None:
        return {}, [Problem(MANIFEST, "is missing")]
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return {}, [Problem(MANIFEST, "is not JSON")]
    if not isinstance(document, dict):
        return {}, [Problem(MANIFEST, "is not a manifest")]
    if document.get("schema_version", manifest.SCHEMA_VERSION) != manifest.SCHEMA_VERSION:
        raise UsageError(
            f"the manifest has schema version {document['schema_version']!r}, but this program reads version "
            f"{manifest.SCHEMA_VERSION}",
            where=MANIFEST,
            hint="verify it with the version of the program that the manifest names under 'tool'",
        )
    keys = [key for key in document if key not in manifest.OPTIONAL_FIELDS]
    if tuple(keys) != manifest.KEYS:
        odd = sorted({*keys} ^ {*manifest.KEYS}) or ["their order"]
        return {}, [Problem(MANIFEST, f"does not have the keys of a manifest: {', '.join(odd)}")]
    files = document["files"]
    shape: dict[str, type | tuple[type, ...]] = {"path": str, "bytes": int, "sha256": str, "rows": (int, type(None))}
    if not isinstance(document["tool"], dict) or not (
        isinstance(files, list)
        and all(
            isinstance(row, dict) and row.keys() == shape.keys() and all(isinstance(row[k], shape[k]) for k in shape)
            for row in files
        )
    ):
        return {}, [Problem(MANIFEST, "has a list of files in an unknown form")]
    return document, []


def _compare(document: Mapping[str, Any], found: Sequence[SealedFile]) -> list[Problem]:
    """Compare the files of the folder with those that the manifest lists."""
    listed = {row["path"]: SealedFile(**row) for row in document["files"]}
    there = {entry.path: entry for entry in found}
    problems = []
    if len(listed) != len(document["files"]):
        problems.append(Problem(MANIFEST, "lists a file more than once"))
    extra = {path: there[path] for path in there.keys() - listed.keys()}
    for path, entry in sorted(listed.items()):
        actual = there.get(path)
        if actual is None:
            renamed = next((other for other in sorted(extra) if extra[other].sha256 == entry.sha256), None)
            if renamed:
                del extra[renamed]
            problems.append(Problem(path, f"is missing; '{renamed}' has its content" if renamed else "is missing"))
            continue
        if actual.sha256 != entry.sha256:
            size = f", {entry.bytes:,} bytes then and {actual.bytes:,} now" if actual.bytes != entry.bytes else ""
            problems.append(Problem(path, f"has been changed{size}"))
        elif actual.bytes != entry.bytes:
            problems.append(Problem(path, f"has {actual.bytes:,} bytes, but the manifest says {entry.bytes:,}"))
        if actual.rows != entry.rows:
            problems.append(Problem(path, f"has {_rows(actual)}, but the manifest says {_rows(entry)}"))
    system_files = {path for path in extra if _SYSTEM_FILE.fullmatch(path)}
    problems += [_added(path, path in system_files) for path in sorted(extra)]
    if manifest.data_sha256(entry for entry in found if entry.path not in system_files) != document["data_sha256"]:
        problems.append(Problem(MANIFEST, "has a data_sha256 that does not match the data files"))
    return problems


def _added(path: str, is_system_file: bool) -> Problem:
    origin = "; operating systems and office programs leave files of this name" if is_system_file else ""
    return Problem(path, f"is not in the manifest{origin}", is_system_file)


def _rows(entry: SealedFile) -> str:
    return "no countable rows" if entry.rows is None else counted(entry.rows, "row")


def _signature(
    folder: Path, present: Sequence[str], content: bytes | None, key: PublicKey | None
) -> tuple[str, PublicKey | None, list[Problem]]:
    """Return the state of the signature, the key that it is valid for, and its problems."""
    if SIGNATURE not in present:
        if PUBLIC_KEY_FILE in present:
            return "bad", None, [Problem(SIGNATURE, f"is missing, although the folder has a '{PUBLIC_KEY_FILE}'")]
        wrong = [Problem(SIGNATURE, "is missing: the folder is unsigned, but --key was given")] if key else []
        return "unsigned", None, wrong
    signer = key
    if signer is None:
        if PUBLIC_KEY_FILE not in present:
            return "bad", None, [Problem(PUBLIC_KEY_FILE, "is missing, although the folder is signed")]
        try:
            signer = PublicKey.read(folder / PUBLIC_KEY_FILE)
        except UsageError as error:
            return "bad", None, [Problem(PUBLIC_KEY_FILE, error.message)]
    if content is None:
        return "bad", None, []
    if not signer.accepts((folder / SIGNATURE).read_bytes(), content):
        whose = "the key of --key" if key else "the key inside the folder"
        return "bad", None, [Problem(SIGNATURE, f"is not a valid signature of {MANIFEST} for {whose}")]
    return ("trusted" if key else "unproven"), signer, []


def kind_without_data(paths: Iterable[str]) -> str | None:
    """Return what a folder holds if it has no data of its own to rebuild from, or None if it is a report.

    Only a folder with exactly the files of a sign-off or a remediation is one: a report without its data is not.
    """
    names = {*paths} - {PUBLIC_KEY_FILE}
    return next((kind for kind, known in _WITHOUT_DATA.items() if names and names <= known), None)


def _basis(folder: Path, document: Mapping[str, Any]) -> str:
    """Say which report a folder rests on: by name if it is beside the folder, else by the hash of its manifest."""
    wanted = document["previous_manifest_sha256"]
    for path in sorted(folder.resolve().parent.glob(f"*/{MANIFEST}")):
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == wanted:
            return f"it rests on {path.parent.name}: rebuild that one"
    return f"it rests on the report whose {MANIFEST} has the SHA-256 {wanted}: rebuild that one"


def _rebuild(
    folder: Path, write_tables: WriteTables, top: Sequence[SealedFile]
) -> tuple[tuple[str, ...] | None, list[Problem]]:
    """Rebuild every CSV file; return the names of those that are equal, and the problems of the others."""
    wanted = {entry.path for entry in top if entry.path.endswith(".csv")}
    with tempfile.TemporaryDirectory(prefix="access-review-verify-") as name:
        workspace = Path(name)
        try:
            with archive.rebuilt(folder, workspace) as connection:
                write_tables(connection, workspace.joinpath)
        except (RenderError, UsageError):
            raise  # about the directory for temporary files, or about this version: not about the folder
        except AccessReviewError as error:
            return None, [Problem("sql, raw, inputs", f"cannot be built: {error}")]
        made = {path.name for path in workspace.glob("*.csv")}
        problems = [Problem(path, "is not a file of a report") for path in sorted(wanted - made)]
        problems += [Problem(path, "is missing, although a rebuild writes it") for path in sorted(made - wanted)]
        equal = []
        for path in sorted(wanted & made):
            line = _first_difference(folder / path, workspace / path)
            if line is None:
                equal.append(path)
            else:
                problems.append(Problem(path, f"differs from its rebuild, from line {line} on"))
    return tuple(equal), problems


def _first_difference(one: Path, other: Path) -> int | None:
    with one.open("rb") as left, other.open("rb") as right:
        for number, (a, b) in enumerate(itertools.zip_longest(left, right), start=1):
            if a != b:
                return number
    return None
