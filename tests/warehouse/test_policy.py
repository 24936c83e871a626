"""Policy files: a row replaces the default of the same key, and a mistake is named with its file and line."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline import resources
from pipeline.errors import ConfigurationError
from pipeline.inputs import policy_files
from pipeline.settings import load_settings
from pipeline.warehouse import database
from pipeline.warehouse.database import Connection
from pipeline.warehouse.policy import PolicyFiles, load_policy, load_reference
from tests.rules import rule

STALE_ACCOUNT = rule("Stale account")

EXCEPTIONS = "rule_id,source,subject,reason,approved_by,expires_on\n"


@pytest.fixture
def connection() -> Iterator[Connection]:
    with database.in_memory() as connection:
        load_reference(connection, resources.reference_data())
        yield connection


def load(connection: Connection, folder: Path | None, *domains: str) -> str:
    return load_policy(connection, PolicyFiles(resources.reference_data(), folder, domains))


def ranks(connection: Connection) -> dict[str, tuple[int, bool]]:
    rows = connection.execute("select role_name, rank, privileged from policy.roles").fetchall()
    return {name: (rank, privileged) for name, rank, privileged in rows}


@pytest.mark.parametrize(
    ("name", "content", "says", "hint"),
    [
        ("exception.csv", EXCEPTIONS, "'exception.csv' is not a policy file", "'exceptions.csv'"),
        ("Roles.CSV", "role_name,rank,privileged\n", "'Roles.CSV' is not a policy file", "'roles.csv'"),
        ("zzz.csv", "a\n", "'zzz.csv' is not a policy file", "break_glass, exceptions"),
        ("roles.csv", "", "the column 'role_name' is missing", "role_name,rank,privileged"),
        ("roles.csv", "role_name,rank\nx,1\n", "the column 'privileged' is missing", "role_name,rank,privileged"),
        ("roles.csv", "role_nam,rank,privileged\n", "unknown column 'role_nam'", "'role_name'"),
        ("roles.csv", "role_name,rank,rank,privileged\n", "two columns 'rank'", "keep one"),
        ("roles.csv", "role_name,rank,privileged\nx,1,no\ny,high,no\n", "line 3: 'high' is not a rank", "correct"),
        (
            "roles.csv",
            "role_name,rank,privileged\nx,101,no\n",
            "line 2: '101' is not a rank: write a whole number from 0 to 100",
            "correct",
        ),
        ("roles.csv", "role_name,rank,privileged\nx,1,maybe\n", "line 2: 'maybe' is not a privileged", "correct"),
        ("roles.csv", "role_name,rank,privileged\n,1,no\n", "line 2 has no role_name", "fill"),
        ("roles.csv", "role_name,rank,privileged\nx,1\n", "line 2 has no privileged", "fill"),
        ("roles.csv", "role_name,rank,privileged\nx,1,no,\n", "line 2 has 4 cells, the header has 3", "quotes"),
        ("roles.csv", "role_name,rank,privileged\nx,1,no\n\nX,2,no\n", "line 4 repeats x", "keep one"),
        ("roles.csv", 'role_name,rank,privileged\nx,1,no\ny,"2,no\n', "line 3 is not CSV", "close every quote"),
        ("roles.csv", "role_name;rank;privileged\r\nx;1;no\r\ny;z;no\r\n", "line 3: 'z' is not a rank", "correct"),
        (
            "break_glass.csv",
            "owner_email\nx@x.test\n",
            "the column 'user_name or email' is missing",
            "user_name,email",
        ),
        ("break_glass.csv", "user_name,email,purpose\n,,fire\n", "line 2 names no account", "user_name or email"),
        ("sod_pairs.csv", "left_type,left_name,right_type,right_name\nuser,a,role,b\n", "line 2: 'user'", "correct"),
        (
            "exceptions.csv",
            EXCEPTIONS + f'{STALE_ACCOUNT},,a,"two\nlines",b@x.test,2026-01-31\nstale_account,,b,r,b@x.test,soon\n',
            "line 4: the expires_on 'soon' is not a date",
            "correct",
        ),
        ("out_of_scope.csv", "source,subject,reason,approved_by\n,ann,,b@x.test\n", "line 2 has no reason", "fill"),
        ("object.csv", "object,sensitivity\n", "'object.csv' is not a policy file", "'objects.csv'"),
        ("objects.csv", "object,owner_email\nSales,b@x.test\n", "the column 'sensitivity' is missing", "object,sens"),
        ("objects.csv", "object,sensitivity\nSales,\n", "line 2 has no sensitivity", "fill"),
        ("objects.csv", "object,sensitivity\n,secret\n", "line 2 has no object", "fill"),
        (
            "objects.csv",
            "object,sensitivity,object_type\nSales,secret,cube\n",
            "line 2: 'cube' is not an object_type: write dashboard, model or folder",
            "correct",
        ),
        (
            "objects.csv",
            "object,sensitivity,owner_email\nSales,secret,boss\n",
            "line 2: the owner_email 'boss'",
            "correct",
        ),
        (
            "objects.csv",
            "object,sensitivity,source\nSales,secret,\nSales,public,prod\nsales,public,\n",
            "line 4 repeats sales",
            "keep one",
        ),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(
    connection: Connection, tmp_path: Path, name: str, content: str, says: str, hint: str
) -> None:
    (tmp_path / name).write_bytes(content.encode())

    with pytest.raises(ConfigurationError) as caught:
        load(connection, tmp_path)

    assert caught.value.where == str(tmp_path / name)
    assert says in caught.value.message
    assert hint in caught.value.hint


def test_a_folder_that_does_not_exist_is_refused(connection: Connection, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(connection, tmp_path / "policy")

    assert caught.value.where == str(tmp_path / "policy")


@pytest.mark.parametrize(
    "content",
    [
        "role_name,rank,privileged\nCONSUMER,25,TRUE\ncustom_a,40,no\n",
        "\ufeffprivileged,rank,role_name\r\nyes,25,CONSUMER\r\n0,40,custom_a\r\n",
        "role_name;rank;privileged\nCONSUMER;25;1\ncustom_a;40;false\n",
    ],
    ids=["comma", "bom, crlf and order", "semicolon"],
)
def test_rows_replace_defaults_of_the_same_key_and_other_defaults_stay(
    connection: Connection, tmp_path: Path, content: str
) -> None:
    load(connection, None)
    before = ranks(connection)
    (tmp_path / "roles.csv").write_bytes(content.encode())

    load(connection, tmp_path)

    changed = {"CONSUMER": (25, True), "custom_a": (40, False)}
    assert ranks(connection) == {name: rank for name, rank in before.items() if name != "consumer"} | changed
    load(connection, None)
    assert ranks(connection) == before


def test_the_lines_of_a_file_are_kept_beside_its_rows(connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "out_of_scope.csv").write_text("subject,reason,approved_by\nann,r,b@x.test\n\nbob,r,b@x.test\n")

    load(connection, tmp_path)

    found = connection.execute("select subject, source, line from policy.out_of_scope order by line").fetchall()
    assert found == [("ann", None, 2), ("bob", None, 4)]


def test_objects_have_labels_with_or_without_a_source_and_a_type(connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "objects.csv").write_text(
        "object,sensitivity,owner_email,source,object_type\n"
        "Sales / EMEA,Confidential,cfo@example.com,prod,Dashboard\n"
        '"Sales, all",internal\nSales / EMEA,public,,,model\n'
    )

    load(connection, tmp_path)

    assert connection.execute(
        "select line, object, sensitivity, owner_email, source, object_type from policy.objects order by line"
    ).fetchall() == [
        (2, "Sales / EMEA", "Confidential", "cfo@example.com", "prod", "dashboard"),
        (3, "Sales, all", "internal", None, None, None),
        (4, "Sales / EMEA", "public", None, None, "model"),
    ]


def test_the_hash_covers_every_file_of_the_folder(connection: Connection, tmp_path: Path) -> None:
    hashes = [load(connection, None)]
    for name, text in (("privileged_groups.csv", "Ops"), ("privileged_groups.csv", "Sales"), ("roles.csv", None)):
        (tmp_path / name).write_text(f"group_name\n{text}\n" if text else "role_name,rank,privileged\n")
        hashes.append(load(connection, tmp_path))

    assert len(set(hashes)) == len(hashes)
    assert load(connection, tmp_path) == hashes[-1]


def test_the_cadence_of_the_configuration_reaches_the_rules(connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "access-review.toml"
    path.write_text('[cadence]\nprivileged = "monthly"\nall = "yearly"\n', encoding="utf-8")

    load_policy(connection, policy_files(load_settings(path)))
    configured = connection.execute("select * from policy.cadence order by scope").fetchall()
    load(connection, None)

    assert configured == [("all", 12), ("privileged", 1)]
    assert connection.execute("select count(*) from policy.cadence").fetchall() == [(0,)]


def test_the_prices_of_seats_reach_the_reports_to_the_cent(connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "access-review.toml"
    path.write_text('[licence_price]\nviewer = 0.1\nadmin = 1200\ncurrency = "US$"\n', encoding="utf-8")

    load_policy(connection, policy_files(load_settings(path)))
    configured = connection.execute("select * from policy.licence_prices order by seat_class").fetchall()
    load(connection, None)

    assert configured == [("admin", Decimal("1200.00"), "US$"), ("viewer", Decimal("0.10"), "US$")]
    assert connection.execute("select count(*) from policy.licence_prices").fetchall() == [(0,)]


def test_due_days_and_the_default_owner_of_the_configuration_replace_the_defaults(
    connection: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "access-review.toml"
    path.write_text(
        '[due_days]\ncritical = 0\nlow = 180\n[policy]\ndefault_owner = "CISO <CISO@example.com>"\n', encoding="utf-8"
    )
    shipped = connection.execute(
        "select severity, days_to_fix from reference.severities order by position"
    ).fetchall()

    load_policy(connection, policy_files(load_settings(path)))

    assert shipped == [("critical", 1), ("high", 7), ("medium", 30), ("low", 90), ("info", None)]
    assert connection.execute("select days_to_fix from reference.severities order by position").fetchall() == [
        (0,), (7,), (30,), (180,), (None,),
    ]  # fmt: skip
    assert connection.execute("select * from policy.default_owner").fetchall() == [("ciso@example.com",)]


def test_the_organisations_domains_are_folded(connection: Connection) -> None:
    load(connection, None, "Example.COM", "@example.com", "example.org")

    assert connection.execute("select * from policy.email_domains order by 1").fetchall() == [
        ("example.com",),
        ("example.org",),
    ]
