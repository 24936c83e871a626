"""Sealed folders: written aside as a whole, listed in a manifest and signed.

The order matters. Data files come first; then ``data_sha256`` over them, which the PDF prints; then the manifest,
which lists the PDF too; then the signature.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.atomic import replace_folder
from pipeline.errors import RenderError
from pipeline.evidence import manifest
from pipeline.evidence.manifest import MANIFEST, SIGNATURE, TIME_STAMP, SealedFile
from pipeline.evidence.signature import PUBLIC_KEY_FILE, SigningKey
from pipeline.warehouse import archive
from pipeline.warehouse.database import Connection
from pipeline.warehouse.pseudonyms import is_pseudonymised

__all__ = ["NOTICE", "Draft", "Seal", "collect", "draft_folder", "seal"]


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


class Draft:
    """A folder that is being written; ``folder`` is where it is until it gets its name."""

    def __init__(self, folder: Path, progress: Callable[[str], None]) -> None:
        self.folder = folder
        self.last_file = ""
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
    late one.

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
            _keep_time_stamp(folder, path)
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
    key: SigningKey | None,
) -> Seal:
    """Write the manifest of everything in the draft, and its signature if there is a key.

    ``data`` are files whose hashes are known already. ``neutralised`` counts the CSV cells that got an apostrophe so
    that no spreadsheet runs them.

    Raises:
        OSError: a file cannot be written.
    """
    path = draft.file(MANIFEST)
    if key is not None:
        (draft.folder / PUBLIC_KEY_FILE).write_bytes(key.public.pem())
    known = {file.path for file in data}
    others = [name for name in manifest.files_below(draft.folder) if name not in known]
    files = [*data, *manifest.sealed_files(connection, draft.folder, others)]
    content = manifest.compose(
        connection, files, neutralised=neutralised, previous_manifest_sha256=previous_manifest_sha256
    )
    path.write_bytes(content)
    if key is not None:
        (draft.folder / SIGNATURE).write_bytes(key.sign(content))
    return Seal(manifest.data_sha256(files), hashlib.sha256(content).hexdigest(), previous_manifest_sha256)


def _keep_time_stamp(folder: Path, draft: Path) -> None:
    content = [(each / MANIFEST).read_bytes() if (each / MANIFEST).is_file() else None for each in (folder, draft)]
    if content[0] is not None and content[0] == content[1] and (folder / TIME_STAMP).is_file():
        shutil.copyfile(folder / TIME_STAMP, draft / TIME_STAMP)


def _unwritable(error: OSError, path: Path) -> RenderError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        hint = "free some space on that disk, or choose another folder with --out"
    else:
        hint = "choose a folder that you may write to with --out, or correct its permissions"
    return RenderError(
        f"the report cannot be written: {error.strerror or error}", where=str(error.filename or path), hint=hint
    )
