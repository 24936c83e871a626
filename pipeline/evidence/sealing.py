"""Sealed folders: written aside as a whole, listed in a manifest and signed.

The order matters. Data files come first; then ``data_sha256`` over them, which the PDF prints; then the manifest,
which lists the PDF too; then the signature.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.atomic import replace_folder
from pipeline.errors import RenderError
from pipeline.evidence import manifest
from pipeline.evidence.manifest import MANIFEST, SIGNATURE, TIME_STAMP, SealedFile
from pipeline.evidence.signature import KEY_VARIABLE, PUBLIC_KEY_FILE, SigningKey
from pipeline.warehouse import archive
from pipeline.warehouse.database import Connection
from pipeline.warehouse.pseudonyms import is_pseudonymised

__all__ = ["NOTICE", "Draft", "Proofs", "Seal", "collect", "draft_folder", "seal"]


#: The file that says what a folder with pseudonyms is.
NOTICE = "PSEUDONYMISED.txt"
_NOTICE_TEXT = """\
This report is pseudonymised.

Names, addresses, logins and ids of people, domains outside the organization, and titles of dashboards and data
models are replaced by pseudonyms. The same pseudonym always stands for the same value. Text that people wrote, such
as reasons and comments, is left out. Names of roles, groups and departments, dates and all figures are those of the
report.

The source rows and the inputs of the build are not in this folder, so it can be verified but not rebuilt.
"""


@dataclass(frozen=True, slots=True)
class Seal:
    """The hashes that identify a sealed folder, and the hash of the manifest that it is chained to."""

    data_sha256: str
    manifest_sha256: str
    previous_manifest_sha256: str | None


@dataclass(frozen=True, slots=True)
class Proofs:
    """What a sealed folder gets: the signature of a key, and the time stamp of an authority; None for neither.

    The stamp comes later (:mod:`pipeline.evidence.stamping`), and the manifest says that it was to come.
    """

    key: SigningKey | None = None
    timestamp_url: str | None = None

    @property
    def authority(self) -> str | None:
        """The part of the authority's address to show."""
        parts = urlsplit(self.timestamp_url) if self.timestamp_url else None
        return f"{parts.scheme}://{parts.netloc}" if parts else None


class Draft:
    """A folder that is being written; ``folder`` is where it is until it gets its name.

    ``notes`` say what became of the folder that had the name before, once the new one has it.
    """

    def __init__(self, folder: Path, progress: Callable[[str], None]) -> None:
        self.folder = folder
        self.last_file = ""
        self.notes: list[str] = []
        self._progress = progress

    def file(self, name: str) -> Path:
        """Return the path to write a file to, after telling ``progress`` its name."""
        self.last_file = name
        self._progress(name)
        return self.folder / name


@contextmanager
def draft_folder(folder: Path, progress: Callable[[str], None] = lambda _: None) -> Iterator[Draft]:
    """Yield a draft that takes the place of ``folder`` when the block ends without an exception.

    A folder that is written again with the same manifest keeps its time stamp: an early stamp proves more than a
    late one. With another manifest, the earlier folder is kept under another name if it is time-stamped or if
    another folder beside it rests on it: evidence that was sealed is not destroyed.

    Raises:
        RenderError: a file cannot be written; the error names the last file that was begun.
    """
    last_file = ""
    try:
        with replace_folder(folder) as path:
            draft = Draft(path, progress)
            try:
                yield draft
            finally:
                last_file = draft.last_file
            _keep_evidence(folder, draft)
    except OSError as error:
        raise _unwritable(error, folder / last_file) from error


def collect(connection: Connection, draft: Draft) -> list[SealedFile]:
    """Write ``raw/``, ``sql/`` and ``inputs/`` beside the CSV files; return all data files of the draft.

    Raises:
        WarehouseError: another version of the program made the build, with other SQL.
        RenderError: a file cannot be written.
    """
    archive.write(connection, draft.file("raw, sql, inputs").parent)
    if is_pseudonymised(connection):
        draft.file(NOTICE).write_text(_NOTICE_TEXT, encoding="utf-8")
    return manifest.sealed_files(connection, draft.folder, manifest.files_below(draft.folder))


def seal(
    connection: Connection,
    draft: Draft,
    data: Sequence[SealedFile] = (),
    *,
    neutralised: int,
    previous_manifest_sha256: str | None,
    proofs: Proofs,
) -> Seal:
    """Write the manifest of everything in the draft, and its signature if there is a key.

    ``data`` are files whose hashes are known already. ``neutralised`` counts the CSV cells that got an apostrophe so
    that no spreadsheet runs them.

    Raises:
        OSError: a file cannot be written.
    """
    path = draft.file(MANIFEST)
    if proofs.key is not None:
        (draft.folder / PUBLIC_KEY_FILE).write_bytes(proofs.key.public.pem())
    known = {file.path for file in data}
    others = [name for name in manifest.files_below(draft.folder) if name not in known]
    files = [*data, *manifest.sealed_files(connection, draft.folder, others)]
    content = manifest.compose(
        connection,
        files,
        neutralised=neutralised,
        previous_manifest_sha256=previous_manifest_sha256,
        authority=proofs.authority,
    )
    path.write_bytes(content)
    if proofs.key is not None:
        (draft.folder / SIGNATURE).write_bytes(proofs.key.sign(content))
    return Seal(manifest.data_sha256(files), hashlib.sha256(content).hexdigest(), previous_manifest_sha256)


def _keep_evidence(folder: Path, draft: Draft) -> None:
    """Keep what the folder proves that is about to be replaced: its time stamp, or the folder itself."""
    earlier, later = _manifest_of(folder), _manifest_of(draft.folder)
    if earlier is None:
        return
    if earlier == later:
        if (folder / TIME_STAMP).is_file():
            shutil.copyfile(folder / TIME_STAMP, draft.folder / TIME_STAMP)
        return
    if (folder / SIGNATURE).exists() and not (draft.folder / SIGNATURE).exists():
        draft.notes.append(
            f"the earlier report was signed, and the new one is not: set {KEY_VARIABLE} and report again"
        )
    sha256 = hashlib.sha256(earlier).hexdigest()
    reasons = ["it is time-stamped"] if (folder / TIME_STAMP).exists() else []
    reasons += [f"{name} rests on it" for name in _resting_on(folder, sha256)]
    kept = folder.with_name(f"{folder.name}-replaced-{sha256[:8]}")
    if reasons and not kept.exists():
        folder.rename(kept)
        draft.notes.append(f"the earlier report is kept as {kept}: {' and '.join(reasons)}")


def _manifest_of(folder: Path) -> bytes | None:
    path = folder / MANIFEST
    return path.read_bytes() if path.is_file() else None


def _resting_on(folder: Path, sha256: str) -> Iterator[str]:
    """Yield the names of the folders beside one whose manifest names that of this one by its hash."""
    for path in sorted(folder.parent.glob(f"*/{MANIFEST}")):
        try:
            document = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(document, dict) and document.get("previous_manifest_sha256") == sha256:
            yield path.parent.name


def _unwritable(error: OSError, path: Path) -> RenderError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        hint = "free some space on that disk, or choose another folder with --out"
    else:
        hint = "choose a folder that you may write to with --out, or correct its permissions"
    return RenderError(
        f"the report cannot be written: {error.strerror or error}", where=str(error.filename or path), hint=hint
    )
