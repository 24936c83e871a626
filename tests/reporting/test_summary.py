"""The first page names what was not evaluated, and shows no number without a result."""

from typing import Any

import duckdb
import pytest

from pipeline.reporting.summary import NOT_EVALUATED, checks_said, coverage, found_on, tiles
from pipeline.warehouse.saved import statement

FIGURES = {
    "accounts": 20, "active": 12, "privileged": 5, "privileged_active": 3, "findings": 4, "accounts_with_findings": 1,
    "findings_on_accounts": 3,
}  # fmt: skip


def silent(
    rule_id: str, outcome: str = "not_evaluated", reason: str = "no roster was given", headline: str | None = None
) -> dict[str, Any]:
    return {"rule_id": rule_id, "title": rule_id, "outcome": outcome, "reason": reason, "headline": headline}


@pytest.mark.parametrize(
    ("unevaluated", "says"),
    [
        ([], ["All 47 rules were evaluated."]),
        ([silent("a")], ["1 of 47 rules was not evaluated because no roster was given."]),
        (
            [silent("a"), silent("b", reason="there has been no review yet"), silent("c"), silent("d", "off")],
            [
                "3 of 47 rules were not evaluated: 2 because no roster was given; "
                "1 because there has been no review yet.",
                "1 rule is switched off.",
            ],
        ),
        (
            [silent("a"), silent("b", reason="no baseline")],
            ["2 of 47 rules were not evaluated: 1 because no baseline; 1 because no roster was given."],
        ),
        (
            [silent("a", "off"), silent("b", "off")],
            ["Every rule that is switched on was evaluated, 45 of 47.", "2 rules are switched off."],
        ),
    ],
)
def test_rules_without_a_result_are_counted_with_their_reasons(unevaluated: list[Any], says: list[str]) -> None:
    assert list(coverage(unevaluated, 47)) == says


@pytest.mark.parametrize(
    "row",
    [
        silent("leavers", headline="leavers_active"),
        silent("leavers", "off", "the configuration switches it off", headline="leavers_active"),
    ],
)
def test_a_tile_without_an_evaluated_rule_does_not_show_zero(row: dict[str, Any]) -> None:
    last = tiles(FIGURES, [row])[-1]

    assert last.value == NOT_EVALUATED
    assert not last.is_number
    assert last.label == f"leavers still active: {row['reason']}"


def test_a_tile_with_an_evaluated_rule_may_be_zero() -> None:
    assert tiles(FIGURES | {"leavers_active": 0}, [])[-1].value == "0"


def test_deactivated_accounts_do_not_count_as_privileged_accounts_in_use() -> None:
    assert [(tile.value, tile.label) for tile in tiles(FIGURES | {"privileged_active_new": 1}, [])][1] == (
        "3",
        "active privileged accounts, 1 of them new",
    )


def test_findings_are_told_apart_from_those_on_accounts() -> None:
    others = "on groups, roles, dashboards, data models and sources"
    assert tiles(FIGURES, [])[2].label == "open findings, 3 on 1 account"
    assert found_on(FIGURES) == f": 3 on 1 account, 1 {others}"
    assert found_on(FIGURES | {"findings_on_accounts": 4}) == " on 1 account"
    assert found_on(FIGURES | {"findings": 0, "findings_on_accounts": 0}) == ""


def test_a_tile_does_not_count_no_new_accounts() -> None:
    assert tiles(FIGURES | {"privileged_active_new": 0}, [])[1].label == "active privileged accounts"


@pytest.mark.parametrize(
    ("gate", "others", "said"),
    [
        ("", "", "No check of completeness is on record."),
        ("PPP", "", "All 3 gate checks passed."),
        ("P", "PP", "The one gate check passed; every information check passed."),
        ("PPF", "PPPP", "2 of 3 gate checks passed, 1 failed; every information check passed."),
        ("PP", "PFFN", "All 2 gate checks passed; of 4 information checks 2 failed and 1 was not available."),
        ("PN", "NN", "1 of 2 gate checks passed; of 2 information checks 2 were not available."),
    ],
)
def test_all_completeness_checks_are_summed_up_in_a_sentence(gate: str, others: str, said: str) -> None:
    results = {"P": "PASS", "F": "FAIL", "N": "NOT_AVAILABLE"}
    assert checks_said(*([{"result": results[each]} for each in letters] for letters in (gate, others))) == said


def test_each_account_with_a_finding_counts_for_one_department() -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema reports")
        connection.execute(
            "create table reports.finding_rows as from (values"
            " ('a', 'Sales', 'high', 'open', false, 's', '1'), ('b', 'Sales', 'low', 'open', false, null, null),"
            " ('c', null, 'low', 'open', true, 's', null), ('d', 'Sales', 'low', 'accepted_risk', false, 's', '9'),"
            " ('e', null, 'low', 'open', false, 's', '4'))"
            " as rows(finding_id, department, severity, status, overdue, source, account_id)"
        )
        connection.execute(
            "create table reports.finding_accounts as from (values"
            " ('a', 's', '1'), ('b', 's', '1'), ('b', 't', '2'), ('d', 's', '9'), ('e', 's', '4'))"
            " as rows(finding_id, source, account_id)"
        )
        rows = connection.execute(statement("reporting", "departments"), {"rows": 9}).fetchall()

    # Department, findings, ..., overdue, accounts: of the person in b both, of the object in c none.
    assert [(*row[:2], *row[-3:]) for row in rows] == [("Sales", 2, 0, 2, 2), (None, 2, 1, 1, 2)]
