"""The grammar of a model: a file that breaks it is refused, and the error names the file."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import ModelError
from pipeline.warehouse.effects import Effects
from pipeline.warehouse.examples import example_tables, run_example
from pipeline.warehouse.model import Model
from pipeline.warehouse.model_file import load_folder, load_model

RULE = """/*
title = "Old account"
summary = "An account that is old."
severity = "low"
population = "select source, account_id from graph.accounts"
reads = ["graph.accounts", "graph.groups"]
grain = ["source", "account_id"]
remediation = "Look."

[params]
limit_days = 3

[controls]
soc2 = ["CC6.2"]

[effects]
recommendation = "remove"
on = "account"
reason = "It is old."

[effects.risk]
factor = "age"
likelihood = 3
*/
-- a comment that says now() and {{
with own as (select source, account_id, age_days from graph.accounts)
select own.source, own.account_id, 'failed' as verdict from own
join graph.groups as held on held.source = own.source
where own.age_days > $limit_days and $as_of is not null

/* example
name = "one is too old"
given."graph.groups" = [ { source = "s", group_id = "g" } ]
given."graph.accounts" = [
  { source = "s", account_id = "a", age_days = 4 }, { source = "s", account_id = "b", age_days = 3 },
]
expect = [ { account_id = "a", verdict = "failed" } ]
population = 2
*/
"""
GRAPH = """/*
summary = "One thing."
reads = ["staging.users"]
grain = ["source"]

[columns]
source = "varchar: the source"
*/
select source from staging.users
"""


def written(tmp_path: Path, folder: str, text: str, name: str = "thing.sql") -> Path:
    path = tmp_path / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_valid_rule_is_read_with_all_its_parts(tmp_path: Path) -> None:
    model = load_model(written(tmp_path, "3_findings", RULE))

    assert (model.table, model.is_rule, model.severity) == ("findings.thing", True, "low")
    assert model.reads == ("graph.accounts", "graph.groups")
    assert model.params == {"limit_days": 3}
    assert model.controls == {"soc2": ("CC6.2",)}
    assert [example.name for example in model.examples] == ["one is too old"]
    assert model.effects == Effects(
        recommendation="remove", marks="account", reason="It is old.", risk_factor="age", risk_likelihood=3
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("/*\ntitle", "select 1 /*\ntitle", "does not begin with a header"),
        ('title = "Old account"\n', "", "no 'title'"),
        ('remediation = "Look."\n', "", "no 'remediation'"),
        ('grain = ["source", "account_id"]', "grain = []", "no 'grain'"),
        ('severity = "low"', 'severity = "urgent"', "'urgent' is not a severity"),
        ('severity = "low"', 'serverity = "low"', "unknown header key 'serverity'"),
        ('severity = "low"', 'severity = "low"\ncolumns = {}', "unknown header key 'columns'"),
        ('severity = "low"', 'severity = "low"\nview = true', "unknown header key 'view'"),
        ('severity = "low"', "severity = low", "not valid TOML"),
        ('recommendation = "remove"', 'recommend = "remove"', "unknown key 'recommend' in [effects]"),
        ('recommendation = "remove"', 'recommendation = "delete"', "'delete' is not a valid 'recommendation'"),
        ('recommendation = "remove"', "recommendation = true", "'recommendation' in [effects] has the wrong type"),
        ('on = "account"', 'on = "person"', "'person' is not a valid 'on'"),
        ('on = "account"\n', "", "[effects] has no 'on'"),
        ('reason = "It is old."\n', "", "[effects] has no 'reason'"),
        ('reason = "It is old."', 'reason = " "', "'reason' in [effects] has the wrong type"),
        ('reason = "It is old."', 'reason = "It is old."\nheadline = "old"', "'old' is not a valid 'headline'"),
        ('reason = "It is old."', 'reason = "It is old."\nevent = "Grown old"', "is not a name for an event"),
        ('reason = "It is old."', 'reason = "It is old."\ncompares = "role"', "needs the parameters min_peers"),
        ('reason = "It is old."', 'reason = "It is old."\ndeactivates = 1', "'deactivates' in [effects] has"),
        ("likelihood = 3", "likelihood = -1", "[effects.risk] is malformed"),
        ("likelihood = 3", "likelihood = true", "[effects.risk] is malformed"),
        ("likelihood = 3", "", "[effects.risk] is malformed"),
        ('factor = "age"', 'factor = "age"\nweight = 2', "[effects.risk] is malformed"),
        ('soc2 = ["CC6.2"]', 'sox = ["404"]', "'sox' is not a control framework"),
        ('soc2 = ["CC6.2"]', 'soc2 = "CC6.2"', "'controls' has the wrong type"),
        ('reads = ["graph.accounts", "graph.groups"]', 'reads = "graph.accounts"', "'reads' has the wrong type"),
        ('summary = "An account that is old."', "summary = 5", "'summary' has the wrong type"),
        ("limit_days = 3", "limit_days = [3]", "'params' has the wrong type"),
        ('["graph.accounts", "graph.groups"]', '["graph.accounts"]', "the statement reads"),
        ('["graph.accounts", "graph.groups"]', '["graph.accounts", "graph.groups", "graph.roles"]',
         "the header reads"),
        ("from graph.accounts\"", "from graph.roles\"",
         "the statement reads ['graph.accounts', 'graph.groups', 'graph.roles']"),
        ("join graph.groups", "join groups", "the table 'groups' has no schema"),
        ("join graph.groups", "join 'people.csv'", "has no schema"),
        ("limit_days = 3", "limit_days = 3\nother = 1", "declares ['limit_days', 'other']"),
        ("limit_days = 3", "", "the statement uses ['limit_days']"),
        ("limit_days", "severity", "cannot be a parameter"),
        ("where own", "where now() is not null and own", "'now(' is not allowed"),
        ("where own", "where random () > 0 and own", "'random (' is not allowed"),
        ("where own", "where current_date is not null and own", "'current_date' is not allowed"),
        ("where own", "where localtimestamp is not null and own", "'localtimestamp' is not allowed"),
        ("where own", "where age(timestamp '2020-01-01') is not null and own", "'age(' is not allowed"),
        ("where own", "where '{{ now }}' <> '' and own", "'{{' is not allowed"),
        ("from own\n", "from own tablesample 10%\n", "'tablesample' is not allowed"),
        ("and $as_of is not null", "; select 1", "there are 2 statements"),
        ("with own as", "create table x as with own as", "not a select"),
        ("with own as", "with own an", "does not parse"),
        ('grain = ["source", "account_id"]', 'grain = ["account_id"]', "the grain has no 'source'"),
        ("/* example", "/* Example", "block comment in the statement"),
        ("population = 2\n", "", None),
        ("population = 2\n*/\n", "population = 2\n*/\nselect 2", "between or after the examples"),
        ('expect = [ {', 'expected = [ {', "an example needs"),
        ("population = 2\n", "params = { limit_day = 1 }\n", "sets parameters that the header does not declare"),
    ],
)  # fmt: skip
def test_an_invalid_rule_is_refused(tmp_path: Path, old: str, new: str, says: str | None) -> None:
    assert old in RULE
    path = written(
        tmp_path, "3_findings", RULE.replace(old, new, 1) if old != "limit_days" else RULE.replace(old, new)
    )
    if says is None:
        assert load_model(path).examples[0].population is None
        return

    with pytest.raises(ModelError) as caught:
        load_model(path)

    assert caught.value.where == str(path)
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("staging.users", "graph.roles", None),
        ("staging.users", "raw.users", "may not read raw.users"),
        ("staging.users", "findings.register", "may not read findings.register"),
        ("staging.users", "reports.population", "may not read reports.population"),
        ('"varchar: the source"', '"varchar"', "column 'source' has no description"),
        ('grain = ["source"]', 'grain = ["sources"]', "the grain ['sources'] has no such columns"),
        ("*/", '[checks.odd]\nlevel = "warning"\nsql = "select 1"\n*/', "the check 'odd' is malformed"),
        ("*/", '[checks.odd]\nlevel = "warn"\n*/', "the check 'odd' is malformed"),
        ("*/", '[checks.odd]\nsql = "selec 1"\n*/', "does not parse"),
        ("*/", '[checks.odd]\nsql = "select problem from things"\n*/', "has no schema"),
        ("*/", '[checks.odd]\nsql = "select $as_of"\n*/', "the check 'odd' uses ['as_of']"),
        ("summary", "view = true\nsummary", "a view cannot bind parameters, and its grain is not checked"),
        ("*/", '[checks.odd]\nsql = "select today()"\n*/', "'today(' is not allowed"),
    ],
)
def test_an_invalid_model_is_refused(tmp_path: Path, old: str, new: str, says: str | None) -> None:
    text = GRAPH.replace(old, new) if old == "staging.users" else GRAPH.replace(old, new, 1)
    path = written(tmp_path, "2_graph", text)
    if says is None:
        assert load_model(path).reads == (new,)
        return

    with pytest.raises(ModelError) as caught:
        load_model(path)

    assert caught.value.where == str(path)
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("folder", "name", "content", "says"),
    [
        ("3_findings", "thing.sql", RULE.partition("/* example")[0].encode(), "the rule has no example"),
        ("2_graph", "Big-Thing.sql", GRAPH.encode(), "cannot be a table name"),
        ("2_grahp", "thing.sql", GRAPH.encode(), "'grahp' is not a layer"),
        ("2_graph", "thing.sql", b"", "does not begin with a header"),
        ("2_graph", "thing.sql", GRAPH.encode("utf-16"), "cannot be read"),
    ],
)
def test_a_file_that_is_not_a_model_is_refused(
    tmp_path: Path, folder: str, name: str, content: bytes, says: str
) -> None:
    path = written(tmp_path, folder, "", name)
    path.write_bytes(content)

    with pytest.raises(ModelError, match=says) as caught:
        load_model(path)

    assert caught.value.where == str(path)


def test_a_rule_about_sources_cannot_deactivate_accounts(tmp_path: Path) -> None:
    text = RULE.replace('grain = ["source", "account_id"]', 'grain = ["source"]')
    path = written(tmp_path, "3_findings", text.replace('on = "account"', 'on = "account"\ndeactivates = true'))

    with pytest.raises(ModelError, match=r"'deactivates'.*needs findings about accounts"):
        load_model(path)


def test_a_folder_without_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there are no models"):
        load_folder(tmp_path)


def test_no_model_can_call_a_function_whose_result_varies(tmp_path: Path) -> None:
    # Functions that DuckDB does not call consistent, but that depend on the session alone (names, settings, errors).
    harmless = {
        "current_connection_id", "current_database", "current_query", "current_query_id", "current_schema",
        "current_schemas", "current_setting", "current_transaction_id", "error", "in_search_path", "setval",
        "sleep_ms", "stats", "vector_type", "write_log",
    }  # fmt: skip
    with duckdb.connect() as connection:
        names = connection.execute(
            "select distinct function_name from duckdb_functions() where stability <> 'CONSISTENT' order by all"
        ).fetchall()
    allowed = []
    for (name,) in names:
        text = GRAPH.replace("select source", f"select {name}() as source")
        if name == "current_date":
            text = text.replace("current_date()", "current_date")
        try:
            load_model(written(tmp_path, "2_graph", text))
        except ModelError as error:
            if "is not allowed" in error.message:
                continue
        allowed.append(name)

    assert set(allowed) <= harmless


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("age_days = 4", "age_days = 2", "expected {'account_id': 'a', 'verdict': 'failed'}"),
        ("age_days = 3", "age_days = 9", "not expected"),
        ("population = 2", "population = 3", "expected a population of 3"),
        ("age_days = 4", "ages = 4", "does not fit graph.accounts"),
        ('verdict = "failed" }', 'verdicts = "failed" }', "no column ['verdicts']"),
    ],
)
def test_a_failing_example_shows_the_difference(
    tmp_path: Path, models: list[Model], old: str, new: str, says: str
) -> None:
    model = load_model(written(tmp_path, "3_findings", RULE.replace(old, new)))

    with example_tables(models) as connection, pytest.raises(ModelError) as caught:
        run_example(connection, model, model.examples[0])

    assert says in caught.value.message
    assert "one is too old" in caught.value.message


def test_the_example_of_the_rule_above_holds(tmp_path: Path, models: list[Model]) -> None:
    model = load_model(written(tmp_path, "3_findings", RULE))

    with example_tables(models) as connection:
        run_example(connection, model, model.examples[0])
        run_example(connection, model, model.examples[0])  # the first has left the tables as they were


def test_the_hash_of_a_model_changes_with_its_file(models: list[Model], altered: Callable[..., Model]) -> None:
    rule = next(model for model in models if model.is_rule)

    assert altered(rule, "severity    =", "severity =").sha256 != rule.sha256
