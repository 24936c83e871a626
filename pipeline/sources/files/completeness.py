"""Whether the files of an application are whole: their rows, hashes and last lines, compared with the manifest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pipeline.sources.files.declared import Declared
from pipeline.sources.files.tables import ReadFile
from pipeline.spool import Observation

__all__ = ["observations"]


def observations(declared: Declared, files: Sequence[ReadFile]) -> Iterator[Observation]:
    """Yield the checks of files that were read to their end."""
    names = " and ".join([", ".join(file.name for file in files[:-1]), files[-1].name][not files[:-1] :])
    yield Observation(
        check_id="end_proven",
        description="Every file was read to its end",
        expected=str(len(files)),
        observed=str(len(files)),
        difference=0,
        result="PASS",
        explanation=f"{names} {'was' if len(files) == 1 else 'were'} read to the end.",
    )
    for file in files:
        for things, rows in file.rows.items():
            yield _counted(declared, file, things, rows)
        yield _unchanged(declared, file)
        if file.ends_open:
            yield _ended(declared, file)


def _counted(declared: Declared, file: ReadFile, things: str, rows: int) -> Observation:
    """Check that a file has as many rows as its manifest declares: without that, nothing proves that it is whole."""
    listed = declared.files.get(file.name)
    count = listed.rows.get(things) if listed else None
    what = file.name if things == file.name else f"'{things}' in {file.name}"
    unproven = f"so nothing proves that {what} is whole; {_rows(rows)} {_were(rows)} read."
    if count is not None:
        explanation = f"{declared.name} declares {_rows(count)} of {what}, and {rows} {_were(rows)} read."
    elif declared.is_present:
        explanation = f"{declared.name} does not declare the rows of {what}, {unproven}"
    else:
        explanation = f"There is no {declared.name}, {unproven}"
    return Observation(
        check_id=f"{Path(things).stem}_counted",
        description="The file has as many rows as its manifest declares",
        expected=None if count is None else str(count),
        observed=str(rows),
        difference=None if count is None else rows - count,
        result="PASS" if count == rows else "FAIL",
        explanation=explanation,
    )


def _unchanged(declared: Declared, file: ReadFile) -> Observation:
    """Check that a file is the one that its manifest describes."""
    listed = declared.files.get(file.name)
    expected = listed.sha256 if listed else None
    result: Literal["PASS", "FAIL", "NOT_AVAILABLE"]
    if expected is None:
        result, explanation = "NOT_AVAILABLE", f"{declared.name} has no SHA-256 of {file.name}."
    elif expected == file.sha256:
        result, explanation = "PASS", f"{file.name} has the SHA-256 that {declared.name} declares."
    else:
        result = "FAIL"
        explanation = (
            f"{file.name} was changed after {declared.name} was written, or copied only in part: its SHA-256 is "
            f"{file.sha256}, and {declared.name} declares {expected}."
        )
    return Observation(
        check_id=f"{Path(file.name).stem}_unchanged",
        description="The file has the SHA-256 that its manifest declares",
        expected=expected,
        observed=file.sha256,
        difference=None,
        result=result,
        explanation=explanation,
    )


def _ended(declared: Declared, file: ReadFile) -> Observation:
    """Check that a file whose last line has no end of line is whole: only its hash can prove that."""
    listed = declared.files.get(file.name)
    is_whole = listed is not None and listed.sha256 == file.sha256
    return Observation(
        check_id=f"{Path(file.name).stem}_ended",
        description="The last line of the file has an end of line, or the file has the SHA-256 that is declared",
        expected="end of line",
        observed="none",
        difference=None,
        result="PASS" if is_whole else "FAIL",
        explanation=f"The last line of {file.name} has no end of line"
        + (
            ", and its SHA-256 proves that it is whole."
            if is_whole
            else ", so it may be cut inside its last cell: end the line, or declare the file's sha256 in "
            f"{declared.name}."
        ),
    )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
