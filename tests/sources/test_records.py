"""What a page holds, and what of it is kept."""

from __future__ import annotations

import json

import duckdb
import pytest

from pipeline.sources.records import BadAnswerError, read_records


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b'[{"_id": "a"}',
        b"{}",
        b'"text"',
        b"null",
        b"7",
        b"[1]",
        b"[null]",
        b'["a"]',
        b"[[]]",
        b'[{"_id": Infinity}]',
        b'[{"_id": "\xff"}]',
        b"[" * 100_000,
        b"<html>",
    ],
)
def test_what_is_not_a_list_of_records_is_refused(body: bytes) -> None:
    with pytest.raises(BadAnswerError):
        read_records(body)


def test_ids_are_those_of_the_records_and_not_of_what_is_inside_them() -> None:
    records = read_records(b'[{"groups": [{"_id": "g"}], "_id": "a", "role": {"_id": "r"}}, {"role": {"_id": "x"}}]')

    assert records.ids == ("a",)
    assert records.without_id == 1
    assert records.items == 2


@pytest.mark.parametrize(
    "body",
    [
        b'[{"_id": "a", "lastName": "cut \\ud83d"}]',
        b'\xef\xbb\xbf[{"_id": "a", "lastName": "x"}]',
        '[{"_id": "a", "lastName": "Grün 😀"}]'.encode(),
        b'[{"_id": "a", "hash": "x", "n": 12345678901234567890123, "f": 1.10}]',
    ],
)
def test_what_is_kept_can_be_read_by_the_warehouse(body: bytes, tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "page.json"
    path.write_bytes(read_records(body).kept)

    (rows,) = duckdb.execute(
        "select list from read_json($path, format = 'unstructured', records = false, columns = {list: 'json[]'})",
        {"path": str(path)},
    ).fetchone() or ([],)

    assert json.loads(rows[0])["_id"] == "a"
    assert "hash" not in json.loads(rows[0])


def test_a_number_of_absurd_length_does_not_cost_the_page() -> None:
    records = read_records(b'[{"_id": "a", "x": ' + b"9" * 5000 + b'}, {"_id": 3}]')

    assert records.ids == ("a", "3")
    assert records.without_id == 0
