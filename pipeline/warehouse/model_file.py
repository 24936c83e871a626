"""Reads ``.sql`` files into models, and refuses those that break the grammar of ``sql/README.md``.

The header names the tables that the statement reads and the parameters that it uses. Both are compared with what
DuckDB's own parser finds.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from pipeline import resources
from pipeline.errors import ModelError
from pipeline.warehouse import effects, header, statement
from pipeline.warehouse.model import Example, Model
from pipeline.warehouse.statement import Parser, Statement, forbidden

__all__ = [
    "LANDING_LAYERS",
    "combined_sha256",
    "load_folder",
    "load_model",
    "model_files",
    "tables_sha256",
]

#: The folders of the models that check an extract while it lands.
LANDING_LAYERS = ("landed", "completeness")
_LAYERS = ("[0-9]_*", *LANDING_LAYERS)

#: Parameters that every statement may use without declaring them.
_IMPLICIT_PARAMETERS = frozenset({"snapshot_id", "as_of"})

#: Which schemas a model of each schema may read. A layer never reads upward.
_MAY_READ = {
    "staging": {"raw", "meta", "policy", "review"},
    "graph": {"staging", "reference", "policy", "baseline", "review", "graph"},
    "findings": {"graph", "baseline", "reference", "policy", "review"},
    "reports": {"graph", "findings", "baseline", "history", "policy", "reference", "review", "meta", "reports"},
    "landed": {"raw", "landed"},
    "completeness": {"landed", "raw", "meta", "reference", "policy"},
}

#: Schemas that a model of ``findings`` may also read if it is not a rule: current and earlier findings of all rules.
_MAY_READ_BESIDE_RULES = {"findings", "history"}

_BLOCK = re.compile(r"/\*(?P<text>.*?)\*/", re.DOTALL)


def load_folder(folder: Path, layers: Sequence[str] = _LAYERS) -> list[Model]:
    """Read every model below a folder, sorted by path. Numbers before folder names are order for the eye only.

    Raises:
        ModelError: the folder has no models, or one breaks the grammar; a wrong example only when it is used.
    """
    paths = model_files(folder, layers)
    if not paths:
        raise ModelError("there are no models", where=str(folder), hint="reinstall sisense-access-review")
    with _parser() as parser:
        models = [_ModelFile(path, parser).model() for path in paths]
    if folder == resources.sql() and layers == _LAYERS:
        statement.keep(text for model in models for text in model.statements)
    return models


def load_model(path: Path) -> Model:
    """Read one file and check it against the grammar.

    Raises:
        ModelError: what is wrong, in which file, and what to write instead.
    """
    with _parser() as parser:
        model = _ModelFile(path, parser).model()
    list(model.examples)  # refuses those that are wrong
    return model


def model_files(folder: Path, layers: Sequence[str] = _LAYERS) -> list[Path]:
    """Return the files that are models, layer by layer; those that check an extract come last."""
    return [path for layer in layers for path in sorted(folder.glob(f"{layer}/*.sql"))]


def combined_sha256(hashes: Iterable[str]) -> str:
    """Return one hash for all models, whatever their order."""
    return hashlib.sha256("".join(sorted(hashes)).encode()).hexdigest()


def tables_sha256(folder: Path) -> str:
    """Return the hash of ``tables.sql``, whose functions the models call."""
    return hashlib.sha256((folder / "tables.sql").read_text(encoding="utf-8").encode()).hexdigest()


@contextmanager
def _parser() -> Iterator[Parser]:
    """Give a function that opens DuckDB when the first statement has to be parsed, and the same one afterwards."""
    with ExitStack() as stack:
        yield cache(lambda: stack.enter_context(duckdb.connect()))


class _Examples(Sequence[Example]):
    """The examples of a file, read when they are used: a build needs none, and they are most of the text."""

    def __init__(self, file: _ModelFile, texts: Sequence[str], params: Mapping[str, Any]) -> None:
        self._file, self._texts, self._params = file, texts, params

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        return self._file.example(self._texts[index], self._params)


class _ModelFile:
    def __init__(self, path: Path, parser: Parser) -> None:
        self.path = path
        self.parser = parser
        self.schema = re.sub(r"^\d+_", "", path.parent.name)
        try:
            self.text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise self.error(f"the file cannot be read: {error}", "save it as UTF-8") from error

    def error(self, message: str, hint: str) -> ModelError:
        return ModelError(message, where=str(self.path), hint=hint)

    def model(self) -> Model:
        if self.schema not in _MAY_READ:
            raise self.error(f"'{self.schema}' is not a layer", f"the layers are: {', '.join(_MAY_READ)}")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.path.stem):
            raise self.error("the file name cannot be a table name", "use a-z, 0-9 and '_', a letter first")
        keys, body, examples = self.split()
        header.check(self.schema, keys, where=str(self.path))
        params = keys.get("params", {})
        model = Model(
            path=self.path,
            schema=self.schema,
            name=self.path.stem,
            sql=body,
            sha256=hashlib.sha256(self.text.encode()).hexdigest(),
            summary=keys["summary"],
            reads=tuple(keys["reads"]),
            grain=tuple(keys.get("grain", ())),
            columns=tuple(header.columns(keys.get("columns", {}), where=str(self.path))),
            checks=tuple(header.checks(keys.get("checks", {}), where=str(self.path))),
            params=params,
            examples=_Examples(self, examples, params),
            is_gate=keys.get("gate", False),
            each=keys.get("each"),
            is_view=keys.get("view", False),
            title=keys.get("title", ""),
            severity=keys.get("severity", ""),
            population=keys.get("population", ""),
            remediation=keys.get("remediation", ""),
            needs=keys.get("needs"),
            controls={key: tuple(value) for key, value in keys.get("controls", {}).items()},
            effects=effects.read(keys.get("effects", {}), keys, where=str(self.path)),
        )
        self.check_statements(model)
        if model.is_rule and not model.examples:
            raise self.error("the rule has no example", "add one that fires, one near miss and one unknown")
        return model

    def split(self) -> tuple[dict[str, Any], str, list[str]]:
        """Return the header, the statement, and the text of each example."""
        blocks = list(_BLOCK.finditer(self.text))
        if not blocks or self.text[: blocks[0].start()].strip():
            raise self.error("the file does not begin with a header", "begin it with /* and TOML; see sql/README.md")
        keys = self.toml(blocks[0]["text"])
        examples = [block for block in blocks[1:] if block["text"].lstrip().startswith("example\n")]
        end = examples[0].start() if examples else len(self.text)
        starts = [block.start() for block in examples[1:]] + [len(self.text)]
        for block, start in zip(examples, starts if examples else [], strict=True):
            rest = self.text[block.end() : start]
            if rest.strip():
                raise self.error("there is text between or after the examples", "put examples last, one block each")
        body = self.text[blocks[0].end() : end].strip().removesuffix(";")
        if "/*" in body:  # a misspelt example would never run
            raise self.error(
                "there is a block comment in the statement", "begin examples with '/* example', comments with --"
            )
        texts = [block["text"].lstrip().removeprefix("example\n") for block in examples]
        return keys, body, texts

    def toml(self, text: str) -> dict[str, Any]:
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise self.error(f"a header or example is not valid TOML: {error}", "correct that line") from error

    def example(self, text: str, params: Mapping[str, Any]) -> Example:
        table = self.toml(text)
        unknown = set(table) - {"name", "given", "expect", "population", "as_of", "params"}
        if unknown or "name" not in table or "expect" not in table:
            raise self.error(
                "an example needs 'name', 'given' and 'expect'",
                f"remove {', '.join(sorted(unknown))}" if unknown else "add the missing key",
            )
        parameters = dict(table.get("params", {}))
        if not parameters.keys() <= params.keys():
            raise self.error(
                f"the example '{table['name']}' sets parameters that the header does not declare",
                f"the parameters are: {', '.join(params) or 'none'}",
            )
        if "as_of" in table:
            parameters["as_of"] = table["as_of"]
        return Example(table["name"], table.get("given", {}), table["expect"], table.get("population"), parameters)

    def check_statements(self, model: Model) -> None:
        """Compare the header with the statement, the population and the checks."""
        selects = [text for text in (model.sql, model.population) if text]
        for text in model.statements:
            found = forbidden(text)
            if found:
                raise self.error(f"'{found}' is not allowed in a model", "use the bound parameter $as_of")
        statements = [self.parse(text) for text in selects]
        self.check_reads(model, {table for statement in statements for table in statement.tables})
        for check in model.checks:
            parameters = self.parse(check.sql).parameters
            if parameters:
                raise self.error(f"the check '{check.name}' uses {sorted(parameters)}", "checks take no parameters")
        used = {name for statement in statements for name in statement.parameters} - _IMPLICIT_PARAMETERS
        if model.is_view and (not model.checks or any(statement.parameters for statement in statements)):
            raise self.error(
                "a view cannot bind parameters, and its grain is not checked",
                "read values from a table, and add a check that the view has the rows of a table with that grain",
            )
        if used != set(model.params):
            raise self.error(
                f"the header declares {sorted(model.params)}, the statement uses {sorted(used)}",
                "declare exactly the parameters that the statement uses under [params]",
            )

    def check_reads(self, model: Model, reads: set[str]) -> None:
        if reads != set(model.reads):
            raise self.error(
                f"the header reads {sorted(model.reads)}, the statement reads {sorted(reads)}",
                "make 'reads' equal to the tables of the statement",
            )
        allowed = _MAY_READ[self.schema]
        if self.schema == "findings" and not model.is_rule:
            allowed = allowed | _MAY_READ_BESIDE_RULES
        for table in sorted(reads):
            if table.partition(".")[0] not in allowed:
                raise self.error(
                    f"a model of '{self.schema}' may not read {table}", f"it may read: {', '.join(sorted(allowed))}"
                )

    def parse(self, text: str) -> Statement:
        return Statement.parse(text, self.parser, where=str(self.path))
