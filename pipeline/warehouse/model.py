"""One ``.sql`` file, read and checked: its header, its one statement and its examples.

The grammar is described for people in ``sql/README.md``. This module turns a file into a :class:`Model` and refuses
one that breaks the grammar; what the file claims about itself (the tables it reads, the parameters it uses) is
compared with what DuckDB's own parser finds in the statement.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import duckdb

from pipeline.errors import ModelError

__all__ = [
    "CONTROL_KEYS",
    "JUDGES",
    "NEEDS",
    "SEVERITIES",
    "Check",
    "Column",
    "Example",
    "Model",
    "combined_sha256",
    "load_folder",
    "load_model",
    "model_files",
    "tables_sha256",
]

SEVERITIES = ("critical", "high", "medium", "low", "info")
CONTROL_KEYS = ("soc2", "iso27001", "pci", "nist", "cis", "hipaa")
#: What a rule may need that an extract can lack; without it the rule is not evaluated.
NEEDS = ("roster", "baseline", "campaign", "provider")

#: The folders of what judges an extract when it lands, and of all models.
JUDGES = ("landed", "completeness")
_LAYERS = ("[0-9]_*", *JUDGES)

_LEVELS = ("fail", "input", "warn")

#: Parameters that every statement may use without declaring them.
IMPLICIT_PARAMETERS = frozenset({"snapshot_id", "as_of"})

#: Which schemas a model of each schema may read. A layer never reads upward.
_MAY_READ = {
    "staging": {"raw", "meta", "policy", "review"},
    "graph": {"staging", "reference", "policy", "review", "graph"},
    "findings": {"graph", "baseline", "reference", "policy", "review"},
    "reports": {"graph", "findings", "baseline", "history", "policy", "reference", "review", "meta", "reports"},
    "landed": {"raw"},
    "completeness": {"landed", "raw", "meta", "reference", "policy"},
}

_BLOCK = re.compile(r"/\*(?P<text>.*?)\*/", re.DOTALL)
#: Anything that would let a model know the time, chance, or text pasted into it.
_FORBIDDEN = re.compile(
    r"\b(now|today|age|get_current_time(stamp)?|current_localtime(stamp)?|transaction_timestamp|random|setseed"
    r"|uuid(v[47])?|gen_random_uuid|nextval|currval|txid_current|getvariable)\s*\("
    r"|\b(current_(date|time|timestamp)|localtime(stamp)?|tablesample|using\s+sample)\b|\{\{|\{%",
    re.IGNORECASE,
)
_HEADER_KEYS = {"summary", "reads", "grain", "columns", "checks", "params"}
_RULE_KEYS = _HEADER_KEYS - {"columns"} | {"title", "severity", "population", "remediation", "controls", "needs"}
_LANDED_KEYS = {"summary", "reads"}
_CHECK_KEYS = {"summary", "reads", "params", "gate"}
#: What each key of a header holds: its type, the type of what is in it, and how to write it.
_SHAPES: Mapping[str, tuple[type, type | tuple[type, ...], str]] = {
    "summary": (str, str, 'summary = "One sentence."'),
    "title": (str, str, 'title = "A few words"'),
    "severity": (str, str, 'severity = "medium"'),
    "population": (str, str, 'population = "select ..."'),
    "remediation": (str, str, 'remediation = "What to do."'),
    "needs": (str, str, 'needs = "roster"'),
    "reads": (list, str, 'reads = ["graph.accounts"]'),
    "grain": (list, str, 'grain = ["source", "account_id"]'),
    "columns": (dict, str, 'name = "type: description" under [columns]'),
    "checks": (dict, dict, "level and sql under [checks.<name>]"),
    "params": (dict, (bool, int, float, str), "name = 90 under [params]"),
    "controls": (dict, list, 'soc2 = ["CC6.2"] under [controls]'),
    "gate": (bool, bool, "gate = true"),
}
#: Names that mean something else in ``[rules.<rule_id>]``.
_RESERVED_PARAMETERS = {"enabled", "severity"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the header declares it: DuckDB type in lower case, and a description for the catalog."""

    name: str
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class Check:
    """A select of one text column, ``problem``, that should return no rows.

    ``fail`` stops the build as a broken model, ``input`` as a mistake in a policy file; ``warn`` is reported.
    """

    name: str
    level: Literal["fail", "input", "warn"]
    sql: str


@dataclass(frozen=True, slots=True)
class Example:
    """Rows given, rows expected. Columns that are not given are null; columns not expected are not compared."""

    name: str
    given: Mapping[str, list[dict[str, Any]]]
    expect: list[dict[str, Any]]
    population: int | None
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Model:
    """One file: where it goes (``schema.name``), what it says about itself, and the statement that makes it."""

    path: Path
    schema: str
    name: str
    sql: str
    sha256: str
    summary: str
    reads: tuple[str, ...]
    grain: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    checks: tuple[Check, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    is_gate: bool = False
    title: str = ""
    severity: str = ""
    population: str = ""
    remediation: str = ""
    needs: str | None = None
    controls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """Return the qualified name."""
        return f"{self.schema}.{self.name}"

    @property
    def is_rule(self) -> bool:
        """Say whether the file is a finding rule."""
        return self.schema == "findings"


def load_folder(folder: Path, layers: Sequence[str] = _LAYERS) -> list[Model]:
    """Read every model below a folder, sorted by path. Numbers before folder names are order for the eye only.

    Raises:
        ModelError: there are none, or one breaks the grammar.
    """
    paths = model_files(folder, layers)
    if not paths:
        raise ModelError("there are no models", where=str(folder), hint="reinstall sisense-access-review")
    with duckdb.connect() as parser:
        return [_File(path, parser).model() for path in paths]


def model_files(folder: Path, layers: Sequence[str] = _LAYERS) -> list[Path]:
    """Return the files that are models, layer by layer, then what judges an extract when it lands."""
    return [path for layer in layers for path in sorted(folder.glob(f"{layer}/*.sql"))]


def combined_sha256(hashes: Iterable[str]) -> str:
    """Return one hash for all models, whatever their order."""
    return hashlib.sha256("".join(sorted(hashes)).encode()).hexdigest()


def tables_sha256(folder: Path) -> str:
    """Return the hash of ``tables.sql``, whose functions the models call."""
    return hashlib.sha256((folder / "tables.sql").read_text(encoding="utf-8").encode()).hexdigest()


def load_model(path: Path) -> Model:
    """Read one file and check it against the grammar.

    Raises:
        ModelError: what is wrong, in which file, and what to write instead.
    """
    with duckdb.connect() as parser:
        return _File(path, parser).model()


class _File:
    def __init__(self, path: Path, parser: duckdb.DuckDBPyConnection) -> None:
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
        header, body, examples = self.split()
        valid = {"findings": _RULE_KEYS, "completeness": _CHECK_KEYS, "landed": _LANDED_KEYS}.get(
            self.schema, _HEADER_KEYS
        )
        optional = {"checks", "params", "controls", "gate", "needs"}
        for key in header:
            if key not in valid:
                raise self.error(f"unknown header key '{key}'", f"the keys are: {', '.join(sorted(valid))}")
            self.check_shape(key, header[key])
        for key in sorted(valid - optional):
            if not header.get(key) and not (key in {"reads", "columns"} and key in header):
                raise self.error(f"the header has no '{key}'", f"add {key} = ...")
        params = header.get("params", {})
        model = Model(
            path=self.path,
            schema=self.schema,
            name=self.path.stem,
            sql=body,
            sha256=hashlib.sha256(self.text.encode()).hexdigest(),
            summary=header["summary"],
            reads=tuple(header["reads"]),
            grain=tuple(header.get("grain", ())),
            columns=tuple(self.columns(header.get("columns", {}))),
            checks=tuple(self.checks(header.get("checks", {}))),
            params=params,
            examples=tuple(self.examples(examples, params)),
            is_gate=header.get("gate", False),
            title=header.get("title", ""),
            severity=header.get("severity", ""),
            population=header.get("population", ""),
            remediation=header.get("remediation", ""),
            needs=header.get("needs"),
            controls={key: tuple(value) for key, value in header.get("controls", {}).items()},
        )
        self.check_statements(model)
        names = {column.name for column in model.columns}
        if names and not names >= set(model.grain):
            raise self.error(f"the grain {list(model.grain)} has no such columns", "name columns under [columns]")
        if model.is_rule:
            self.check_rule(model)
        return model

    def split(self) -> tuple[dict[str, Any], str, list[str]]:
        blocks = list(_BLOCK.finditer(self.text))
        if not blocks or self.text[: blocks[0].start()].strip():
            raise self.error("the file does not begin with a header", "begin it with /* and TOML; see sql/README.md")
        header = self.toml(blocks[0]["text"])
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
        return header, body, texts

    def toml(self, text: str) -> dict[str, Any]:
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise self.error(f"a header or example is not valid TOML: {error}", "correct that line") from error

    def check_shape(self, key: str, value: Any) -> None:
        outer, inner, sample = _SHAPES[key]
        items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        if not isinstance(value, outer) or not all(isinstance(item, inner) for item in items):
            raise self.error(f"'{key}' has the wrong type", f"write {sample}")

    def checks(self, table: dict[str, dict[str, Any]]) -> Iterator[Check]:
        for name, spec in table.items():
            level = spec.get("level", "fail")
            if spec.keys() - {"level", "sql"} or not isinstance(spec.get("sql"), str) or level not in _LEVELS:
                raise self.error(f"the check '{name}' is malformed", f"give sql, and a level: {', '.join(_LEVELS)}")
            yield Check(name, level, spec["sql"])

    def columns(self, table: dict[str, str]) -> Iterator[Column]:
        for name, text in table.items():
            kind, colon, description = text.partition(": ")
            if not colon:
                raise self.error(f"column '{name}' has no description", f'write {name} = "type: description"')
            yield Column(name, kind.strip(), description.strip())

    def examples(self, texts: list[str], params: dict[str, Any]) -> Iterator[Example]:
        for text in texts:
            table = self.toml(text)
            unknown = set(table) - {"name", "given", "expect", "population", "as_of", "params"}
            if unknown or "name" not in table or "expect" not in table:
                raise self.error(
                    "an example needs 'name', 'given' and 'expect'",
                    f"remove {', '.join(sorted(unknown))}" if unknown else "add what is missing",
                )
            parameters = dict(table.get("params", {}))
            if not parameters.keys() <= params.keys():
                raise self.error(
                    f"the example '{table['name']}' sets parameters that the header has not",
                    f"the parameters are: {', '.join(params) or 'none'}",
                )
            if "as_of" in table:
                parameters["as_of"] = table["as_of"]
            yield Example(table["name"], table.get("given", {}), table["expect"], table.get("population"), parameters)

    def check_statements(self, model: Model) -> None:
        statements = [model.sql, *([model.population] if model.population else [])]
        reads: set[str] = set()
        used: set[str] = set()
        for statement in [*statements, *(check.sql for check in model.checks)]:
            found = _FORBIDDEN.search(_without_comments(statement))
            if found:
                raise self.error(f"'{found[0]}' is not allowed in a model", "use the bound parameter $as_of")
        for statement in statements:
            tables, parameters = self.parse(statement)
            reads |= tables
            used |= parameters
        if reads != set(model.reads):
            raise self.error(
                f"the header reads {sorted(model.reads)}, the statement reads {sorted(reads)}",
                "make 'reads' equal to the tables of the statement",
            )
        for table in sorted(reads):
            schema = table.partition(".")[0]
            if schema not in _MAY_READ[self.schema]:
                raise self.error(
                    f"a model of '{self.schema}' may not read {table}",
                    f"it may read: {', '.join(sorted(_MAY_READ[self.schema]))}",
                )
        for check in model.checks:
            _, parameters = self.parse(check.sql)
            if parameters:
                raise self.error(f"the check '{check.name}' uses {sorted(parameters)}", "checks take no parameters")
        declared = set(model.params)
        if declared & _RESERVED_PARAMETERS:
            raise self.error(
                f"{sorted(declared & _RESERVED_PARAMETERS)} cannot be a parameter", "the configuration uses that name"
            )
        if used - IMPLICIT_PARAMETERS != declared:
            raise self.error(
                f"the header declares {sorted(declared)}, the statement uses {sorted(used - IMPLICIT_PARAMETERS)}",
                "declare what is used under [params], and nothing else",
            )

    def parse(self, statement: str) -> tuple[set[str], set[str]]:
        """Return the tables and the parameters that DuckDB's parser finds in one select."""
        try:
            statements = self.parser.extract_statements(statement)
            row = self.parser.execute("select json_serialize_sql($statement)", {"statement": statement}).fetchone()
        except duckdb.Error as error:
            raise self.error(f"the statement does not parse: {error}", "correct the SQL") from error
        if len(statements) != 1:
            raise self.error(f"there are {len(statements)} statements", "a file is exactly one select")
        tree = json.loads(row[0]) if row else {}
        if tree.get("error"):
            raise self.error(f"the statement is not a select: {tree.get('error_message')}", "a file is one select")
        tables = set()
        names_of_ctes = _names_of_ctes(tree)
        for schema, name in _tables(tree):
            if not schema and name not in names_of_ctes:
                raise self.error(f"the table '{name}' has no schema", "always write schema.table")
            if schema:
                tables.add(f"{schema}.{name}")
        return tables, set(statements[0].named_parameters)

    def check_rule(self, model: Model) -> None:
        if model.severity not in SEVERITIES:
            raise self.error(f"'{model.severity}' is not a severity", f"use one of: {', '.join(SEVERITIES)}")
        if model.needs is not None and model.needs not in NEEDS:
            raise self.error(f"'{model.needs}' is nothing a rule can need", f"use one of: {', '.join(NEEDS)}")
        if "source" not in model.grain and "person_id" not in model.grain:
            raise self.error("the grain has no 'source'", 'begin it with "source", or use "person_id"')
        for key in model.controls:
            if key not in CONTROL_KEYS:
                raise self.error(f"'{key}' is not a control framework", f"use: {', '.join(CONTROL_KEYS)}")
        if not model.examples:
            raise self.error("the rule has no example", "add one that fires, one near miss and one unknown")


def _without_comments(statement: str) -> str:
    return re.sub(r"--[^\n]*|/\*.*?\*/", " ", statement, flags=re.DOTALL)


def _tables(tree: Any) -> Iterator[tuple[str, str]]:
    for node in _objects(tree):
        if node.get("type") == "BASE_TABLE":
            yield node["schema_name"], node["table_name"]


def _names_of_ctes(tree: Any) -> set[str]:
    return {entry["key"] for node in _objects(tree) for entry in node.get("cte_map", {}).get("map", [])}


def _objects(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a parse tree, in no order that means anything."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
