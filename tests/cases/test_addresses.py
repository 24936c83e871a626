"""Every e-mail address that a table holds is read as one address, or refused with the line and the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import resources
from pipeline.errors import ConfigurationError, RosterError, UsageError
from pipeline.remediation.joiners import read_joiners
from pipeline.warehouse.database import Connection
from pipeline.warehouse.policy import PolicyFiles, load_policy
from pipeline.warehouse.roster import load_roster
from tests.cases.case import Case, each
from tests.cases.tables import people, quoted

ADDRESSES = [
    Case("address", "as it is", "ann@x.test", "ann@x.test"),
    Case("address", "with a tab and a hard space round it", "ann@x.test", "\tann@x.test\u00a0"),
    Case("address", "with a zero-width space inside", "ann@x.test", "ann\u200b@x.test"),
    Case("address", "with a byte order mark before it", "ann@x.test", "\ufeffann@x.test"),
    Case("address", "with a soft hyphen", "ann@x.test", "ann@\u00adx.test"),
    Case("address", "between directional marks", "ann@x.test", "\u202aann@x.test\u202c"),
    Case("address", "between wide blanks", "ann@x.test", "\u3000ann@x.test\u2003"),
    Case("address", "with a name", "ann@x.test", "Ann Ek <ann@x.test>"),
    Case("address", "with the address as its name", "ann@x.test", "'ann@x.test' <ann@x.test>"),
    Case("address", "in angle brackets", "ann@x.test", "<ann@x.test>"),
    Case("address", "as a link", "ann@x.test", "mailto:ann@x.test"),
    Case("address", "as a link with a subject and an escape", "ann+bi@x.test", "MAILTO:ann%2Bbi@x.test?subject=hi"),
    Case("address", "of a directory", "ann@x.test", "SMTP:ann@x.test"),
    Case("address", "decomposed", "j\u00fcrgen@x.test", "ju\u0308rgen@x.test"),
    Case("address", "with an apostrophe", "o'brien@x.test", "o'brien@x.test"),
    Case("address", "of a guest", "a_y.test#EXT#@x.onmicrosoft.test", "a_y.test#EXT#@x.onmicrosoft.test"),
    Case("address", "an id", "refused", "1007"),
    Case("address", "a placeholder", "refused", "n/a"),
    Case("address", "a dash", "refused", "-"),
    Case("address", "a name", "refused", "Ann Ek"),
    Case("address", "a blank inside", "refused", "ann ek@x.test"),
    Case("address", "two at signs", "refused", "ann@@x.test"),
    Case("address", "a domain without a dot", "refused", "ann@x"),
    Case("address", "an empty domain label", "refused", "ann@x..test"),
    Case("address", "an IP address", "refused", "ann@10.0.0.1"),
    Case("address", "two addresses", "refused", "ann@x.test; bo@x.test"),
    Case("address", "another address as its name", "refused", "bo@x.test <ann@x.test>"),
    Case("address", "a name with an id", "refused", "Ann Ek <1007>"),
]


@each(ADDRESSES)
def test_every_roster_address_is_checked(case: Case, connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    for column in ("email", "manager_email", "aliases"):
        if column == "aliases" and case.given == "two addresses":
            continue  # a list may hold two
        cell = quoted(case.content)
        path.write_text(
            f"person_id,{column}\n1,{cell}\n" if column == "email" else f"email,{column}\nb@x.test,{cell}\n"
        )
        if case.outcome == "refused":
            with pytest.raises(RosterError, match=f"line 2: the {column} '.*' .* e-mail address"):
                load_roster(connection, path)
        else:
            load_roster(connection, path)
            [(found,)] = people(connection, column)
            assert found == ([case.outcome] if column == "aliases" else case.outcome)


@each(ADDRESSES)
def test_every_policy_file_address_is_checked(case: Case, connection: Connection, tmp_path: Path) -> None:
    cell = quoted(case.content)
    (tmp_path / "owners.csv").write_text(f"entitlement_type,entitlement_name,reviewer_email\ngroup,Sales,{cell}\n")
    (tmp_path / "break_glass.csv").write_text(f"user_name,owner_email\nroot,{cell}\n")
    files = PolicyFiles(resources.reference_data(), tmp_path, ())

    if case.outcome == "refused":
        with pytest.raises(ConfigurationError, match=r"line 2: the owner_email '.*' .* e-mail address"):
            load_policy(connection, files)
        (tmp_path / "break_glass.csv").unlink()
        with pytest.raises(ConfigurationError, match=r"line 2: the reviewer_email '.*' .* e-mail address"):
            load_policy(connection, files)
    else:
        load_policy(connection, files)
        found = connection.execute(
            "select reviewer_email from policy.owners union all select owner_email from policy.break_glass"
        ).fetchall()
        assert found == [(case.outcome,)] * 2


@each(ADDRESSES)
def test_every_joiners_address_is_checked(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "joiners.csv"
    path.write_text(f"email,role\n{quoted(case.content)},Viewer\n")

    if case.outcome == "refused":
        with pytest.raises(UsageError) as caught:
            read_joiners(path)
        assert caught.value.where == f"{path}, line 2"
    else:
        assert [(each.user_name, each.email) for each in read_joiners(path)] == [(case.outcome, case.outcome)]
