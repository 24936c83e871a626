"""Turns tables of a TOML file into frozen dataclasses, and explains what is wrong with them."""

from __future__ import annotations

import collections.abc
import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pipeline.errors import ConfigurationError
from pipeline.spelling import suggestion

__all__ = ["TableReader"]

_T = TypeVar("_T")
#: How a type is called in an error message.
_TYPE_NAMES = {str: "a string", int: "a whole number", float: "a number", bool: "true or false", Path: "a path"}


#: Words in the name of a key whose value is a secret, and the end of the variable that holds it.
_SECRETS = {
    "scim_token": "SCIM_TOKEN", "private_key": "PRIVATE_KEY", "privatekey": "PRIVATE_KEY", "passw": "PASSWORD",
    "secret": "CLIENT_SECRET", "token": "TOKEN", "api_key": "TOKEN", "apikey": "TOKEN",
}  # fmt: skip
_SECTIONS = {"mail": "ACCESS_REVIEW_SMTP_PASSWORD", "web.oidc": "ACCESS_REVIEW_OIDC_SECRET"}


class TableReader:
    """Reads the tables of one file. Every error names the file and the key.

    Relative paths are relative to the folder of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._base = path.resolve().parent

    def section(self, kind: type[_T], document: dict[str, Any], key: str) -> _T:
        """Return a top-level table as a dataclass; its defaults if the table is missing.

        Raises:
            ConfigurationError: a key is unknown, missing, or has a value of the wrong type.
        """
        return self.build(kind, self.table(document.get(key, {}), key), key)

    def build(self, kind: type[_T], table: dict[str, Any], where: str) -> _T:
        """Return a table as a dataclass; ``where`` is its full key.

        Raises:
            ConfigurationError: a key is unknown, missing, or has a value of the wrong type.
        """
        # A key that Python reserves, such as 'from', is in the metadata of its field.
        fields = {f.metadata.get("key", f.name): f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
        self.require_known(table, set(fields), where)
        hints = typing.get_type_hints(kind)
        values = {
            fields[key].name: self._value(hints[fields[key].name], value, f"{where}.{key}")
            for key, value in table.items()
        }
        for key, spec in fields.items():
            name = spec.name
            if (
                name not in values
                and spec.default is dataclasses.MISSING
                and spec.default_factory is dataclasses.MISSING
            ):
                raise self.error(f"{where}.{key}", f"the key '{key}' is missing from [{where}]", f"add {key} = ...")
            if isinstance(spec.default, Path) and name not in values:
                values[name] = self._base / spec.default
        return kind(**values)

    def require_choice(self, kind: type[Any], table: Mapping[str, Any], key: str, where: str) -> None:
        """Reject one value of a table that the section would reject, before its other keys are looked at.

        Raises:
            ConfigurationError: the value is wrong; the hint names those that exist.
        """
        self._value(typing.get_type_hints(kind)[key], table[key], f"{where}.{key}")

    def table(self, value: Any, where: str) -> dict[str, Any]:
        """Return a value that must be a table.

        Raises:
            ConfigurationError: it is something else.
        """
        if not isinstance(value, dict):
            raise self.error(where, f"'{where}' must be a table", f"write it as [{where}]")
        return value

    def require_known(self, table: Mapping[str, Any], valid: set[str], where: str) -> None:
        """Reject unknown keys.

        Raises:
            ConfigurationError: there is one; the hint names the nearest valid key.
        """
        for key in table:
            if key not in valid:
                full = f"{where}.{key}" if where else key
                hint = _secret_hint(where, key) or suggestion(key, valid, "the keys are")
                raise self.error(full, f"unknown key '{full}'", hint)

    def error(self, key: str, message: str, hint: str) -> ConfigurationError:
        """Return an error about a key of this file."""
        return ConfigurationError(message, where=f"{self.path}, {key}", hint=hint)

    def _value(self, wanted: Any, value: Any, where: str) -> Any:
        """Return a value as the type that its field has."""
        origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
        if origin in {types.UnionType, typing.Union}:
            return self._value(next(a for a in arguments if a is not types.NoneType), value, where)
        if origin is Literal:
            if not any(type(value) is type(argument) and value == argument for argument in arguments):  # 1 == True
                choices = " or ".join(
                    f'"{argument}"' if isinstance(argument, str) else str(argument).lower() for argument in arguments
                )
                raise self.error(where, f"{value!r} is not one of the values", f"use {choices}")
            return value
        if origin is collections.abc.Mapping:
            return self._headings(value, where)
        if origin is tuple:
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise self.error(where, "the value must be a list of strings", 'write it as ["one", "two"]')
            return tuple(value)
        if wanted is Path and isinstance(value, str) and value:
            return self._path(value, where)
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, wanted) and not (wanted in (int, float) and isinstance(value, bool)):
            return value
        raise self.error(where, f"the value must be {_TYPE_NAMES[wanted]}, and {value!r} is not", "correct the value")

    def _headings(self, value: Any, where: str) -> dict[str, Any]:
        table = self.table(value, where)
        for key, text in table.items():
            if not isinstance(text, str) or not text.strip():
                raise self.error(
                    f"{where}.{key}", "the value must be a heading of the file", 'write it as "Work Email"'
                )
        return table

    def _path(self, value: str, where: str) -> Path:
        if "\0" in value:
            raise self.error(where, "a path cannot contain the character U+0000", "write the path without it")
        try:
            return self._base / Path(value).expanduser()
        except RuntimeError as error:
            user = value.split("/", 1)[0]
            raise self.error(where, f"cannot expand '{user}': no such user", "write the path in full") from error


def _secret_hint(where: str, key: str) -> str | None:
    """Return what to do with a key that looks like a secret; None if it does not."""
    ending = next((ending for word, ending in _SECRETS.items() if word in key.lower()), None)
    if ending is None:
        return None
    section, _, name = where.partition(".")
    variable = _SECTIONS.get(where)
    if section == "sources" and name:
        variable = f"ACCESS_REVIEW_{name.upper().replace('-', '_')}_{ending}"
    set_it = f": set {variable}, or {variable}_FILE to the path of a file" if variable else ""
    return f"remove it: secrets come from the environment, never from this file{set_it}"
