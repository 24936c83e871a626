"""The columns of a roster: found by their headings, by a mapping, or by the preset of a product."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline.errors import AccessReviewError, RosterError
from pipeline.warehouse.database import Connection
from pipeline.warehouse.roster import load_roster
from pipeline.warehouse.roster_columns import RosterFormat
from tests.cases.case import Case, each
from tests.cases.tables import people


def test_unknown_columns_are_ignored_and_reported(connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("email,cost_center,E-mail 2\na@x.test,4711,b@x.test\n")
    notes: list[str] = []

    load_roster(connection, path, note=notes.append)

    assert notes == ["columns that are not read: cost_center, E-mail 2"]


@each(
    [
        Case(
            "misspelt column",
            given,
            f"did you mean '{meant}'",
            f"email,{given}\n" if meant != "email" else f"{given},x\n",
        )
        for given, meant in (
            ("departmant", "department"),
            ("Emial", "email"),
            ("alias", "aliases"),
            ("End Dat", "end_date"),
            ("manager_mail", "manager_email"),
            ("employement_status", "employment_status"),
        )
    ]
)
def test_a_misspelt_column_is_named(case: Case, connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(case.content + "a@x.test,b\n")

    with pytest.raises(RosterError, match=f"unknown roster column '{case.given}'") as caught:
        load_roster(connection, tmp_path / "people.csv")

    assert case.outcome in caught.value.hint


def test_a_column_is_found_by_its_configured_heading(connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("Work Email;Email;Vorgesetzte\nann@x.test;private@y.test;bo@x.test\n")
    wanted = RosterFormat(columns={"email": "work email", "manager_email": "Vorgesetzte"})

    load_roster(connection, path, wanted)

    assert people(connection, "email, manager_email") == [("ann@x.test", "bo@x.test")]


@each(
    [
        Case(
            "mapping",
            "a heading that is not there",
            "no column 'Work Email', which [roster.columns] names for email",
            "email\na@x.test\n",
        ),
        Case(
            "mapping",
            "a value that is wrong",
            "line 2: the Work Email '1007' is not an e-mail address",
            "Work Email\n1007\n",
        ),
    ]
)
def test_a_wrong_column_mapping_is_named(case: Case, connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(case.content)

    with pytest.raises(AccessReviewError) as caught:
        load_roster(connection, tmp_path / "people.csv", RosterFormat(columns={"email": "Work Email"}))

    assert case.outcome in caught.value.message
    assert caught.value.exit_code == 2


PERSON = "person_id, email, display_name, manager_email, department, title, employment_status"
#: Synthetic exports with the columns that each product publishes.
EXPORTS = [
    Case(
        "preset",
        "entra",
        "mail, else the principal name; disabled accounts have ended",
        (
            "userPrincipalName,displayName,surname,mail,givenName,objectId,userType,jobTitle,department,accountEnabled,"
            "usageLocation,streetAddress,state,country,physicalDeliveryOfficeName,city,postalCode,telephoneNumber,mobile,"
            "authenticationAlternativePhoneNumber,authenticationEmail,alternateEmailAddress,ageGroup,"
            "consentProvidedForMinor,legalAgeGroupClassification\n"
            "ann@x.onmicrosoft.test,Ann Ek,Ek,ann@x.test,Ann,11-22,Member,Analyst,Sales,True,SE,,,,,,,,,,,,,,\n"
            "bo@x.test,,Dahl,,Bo,33-44,Guest,,,False,SE,,,,,,,,,,,,,,\n",
            [
                ("11-22", "ann@x.test", "Ann Ek", None, "Sales", "Analyst", "active"),
                ("33-44", "bo@x.test", "Bo Dahl", None, None, None, "ended"),
            ],
        ),
    ),
    Case(
        "preset",
        "okta",
        "every state of a user has a meaning",
        (
            "login,firstName,lastName,middleName,email,title,displayName,nickName,secondEmail,mobilePhone,userType,"
            "employeeNumber,costCenter,organization,division,department,managerId,manager,status\n"
            "ann@x.test,Ann,Ek,,ann@x.test,Analyst,,,ann@home.test,,,17,,,,Sales,00u1,Bo Dahl,PASSWORD_EXPIRED\n"
            "bo@x.test,Bo,Dahl,,bo@x.test,,Bo D.,,,,,18,,,,,,,DEPROVISIONED\n"
            "cy@x.test,Cy,Roe,,cy@x.test,,,,,,,19,,,,,,,SUSPENDED\n",
            [
                ("ann@x.test", "ann@x.test", "Ann Ek", None, "Sales", "Analyst", "active"),
                ("bo@x.test", "bo@x.test", "Bo D.", None, None, None, "ended"),
                ("cy@x.test", "cy@x.test", "Cy Roe", None, None, None, "leave"),
            ],
        ),
    ),
    Case(
        "preset",
        "google",
        "a suspended account has ended",
        (
            "First Name [Required],Last Name [Required],Email Address [Required],Password [Required],"
            "Password Hash Function [UPLOAD ONLY],Org Unit Path [Required],New Primary Email [UPLOAD ONLY],"
            "Status [READ ONLY],Last Sign In [READ ONLY],Recovery Email,Home Secondary Email,Work Secondary Email,"
            "Recovery Phone [MUST BE IN THE E.164 FORMAT],Work Phone,Home Phone,Mobile Phone,Work Address,"
            "Home Address,"
            "Employee ID,Employee Type,Employee Title,Manager Email,Department,Cost Center\n"
            "Ann,Ek,ann@x.test,****,,/Sales,,Active,2026/01/02,,,a.ek@x.test,,,,,,,17,,Analyst,bo@x.test,Sales,\n"
            "Bo,Dahl,bo@x.test,****,,/,,Suspended,Never logged in,,,,,,,,,,,,,,,\n",
            [
                ("17", "ann@x.test", "Ann Ek", "bo@x.test", "Sales", "Analyst", "active"),
                ("bo@x.test", "bo@x.test", "Bo Dahl", None, None, None, "ended"),
            ],
        ),
    ),
    Case(
        "preset",
        "workday",
        "days and types of workers are read",
        (
            "Employee ID,Preferred Name,Email - Primary Work,Manager,Manager Email,Supervisory Organization,"
            "Business Title,"
            "Worker Type,Active Status,Hire Date,Termination Date\n"
            "17,Ann Ek,ann@x.test,Bo Dahl,bo@x.test,Sales,Analyst,Employee,Yes,03/04/2020,\n"
            "18,Bo Dahl,bo@x.test,,,,,Contingent Worker,No,01/31/2019,06/30/2025\n",
            [
                ("17", "ann@x.test", "Ann Ek", "bo@x.test", "Sales", "Analyst", "active"),
                ("18", "bo@x.test", "Bo Dahl", None, None, None, "ended"),
            ],
        ),
    ),
    Case(
        "preset",
        "bamboohr",
        "zeros are no date",
        (
            "Employee #,First Name,Last Name,Work Email,Job Title,Department,Supervisor,Supervisor Email,Hire Date,"
            "Termination Date,Status\n"
            "17,Ann,Ek,ann@x.test,Analyst,Sales,Bo Dahl,bo@x.test,2020-04-03,0000-00-00,Active\n"
            "18,Bo,Dahl,bo@x.test,,,,,2019-01-31,2025-06-30,Inactive\n",
            [
                ("17", "ann@x.test", "Ann Ek", "bo@x.test", "Sales", "Analyst", "active"),
                ("18", "bo@x.test", "Bo Dahl", None, None, None, "ended"),
            ],
        ),
    ),
]


@each(EXPORTS)
def test_a_products_export_is_read_by_its_preset(case: Case, connection: Connection, tmp_path: Path) -> None:
    text, expected = case.content
    (tmp_path / "export.csv").write_text(text)

    load_roster(connection, tmp_path / "export.csv", RosterFormat(case.given))

    assert people(connection, PERSON) == expected
    ends = dict(people(connection, "email, end_date"))
    types = dict(people(connection, "email, person_type"))
    if case.given in {"workday", "bamboohr"}:
        assert (ends["ann@x.test"], ends["bo@x.test"]) == (None, date(2025, 6, 30))
    if case.given == "workday":
        assert types["bo@x.test"] == "contractor"
    if case.given == "google":
        assert people(connection, "aliases")[0][0] == ["a.ek@x.test"]


def test_a_status_unknown_to_the_preset_is_named(connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text("workEmail,status\nann@x.test,Retired\n")

    with pytest.raises(RosterError, match="line 2: the status 'Retired' is not one of active, inactive"):
        load_roster(connection, tmp_path / "export.csv", RosterFormat("bamboohr"))
