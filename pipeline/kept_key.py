"""Secret keys that are made once and kept in a file that only this user may read."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from pipeline.errors import WarehouseError

__all__ = ["kept_key"]

#: Characters of a whole key. A shorter one was cut off.
_LEAST = 64


def kept_key(path: Path, what: str, *, hint: str) -> bytes:
    """Return the key in a file, which is made if it is not there. ``what`` names the key in errors.

    Raises:
        WarehouseError: the file cannot be written or read, or holds no key; ``hint`` is for the latter.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        if not path.exists():
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32) + "\n")
            with suppress(FileExistsError):  # another process was faster, and both use its key
                os.link(draft, path)
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a key"
        raise WarehouseError(
            f"the key of {what} cannot be written or read: {reason}",
            where=str(path),
            hint="check the path and its permissions",
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    if len(key) < _LEAST:
        raise WarehouseError(f"the key of {what} is damaged", where=str(path), hint=hint)
    return key.encode()
