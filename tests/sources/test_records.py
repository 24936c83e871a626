"""The records of a page, and what of them is kept."""

from __future__ import annotations

import json

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.errors import BadAnswerError
from pipeline.sources.records import read_records
from tests.search import looking_for


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
        b'[{"_id": Infinity}]',
        b'[{"_id": "\xff"}]',
        b"[" * 100_000,
        b"<html>",
    ],
)
def test_a_body_that_is_not_a_list_of_records_is_rejected(body: bytes) -> None:
    with pytest.raises(BadAnswerError):
        read_records(body)


def test_ids_are_those_of_the_records_not_of_nested_objects() -> None:
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
def test_a_kept_page_can_be_read_by_the_warehouse(body: bytes, tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "page.json"
    path.write_bytes(read_records(body).kept)

    (rows,) = duckdb.execute(
        "select list from read_json($path, format = 'unstructured', records = false, columns = {list: 'json[]'})",
        {"path": str(path)},
    ).fetchone() or ([],)

    assert json.loads(rows[0])["_id"] == "a"
    assert "hash" not in json.loads(rows[0])


@pytest.mark.parametrize("odd", ["null", "7", '"a"', "[]", '[{"_id": "x"}]', "{}", '{"_id": {"$oid": "x"}}'])
def test_an_element_without_an_id_is_kept_and_counted(odd: str) -> None:
    records = read_records(f'[{{"_id": "a"}}, {odd}, {{"_id": "b"}}]'.encode())

    assert records.ids == ("a", "b")
    assert records.without_id == 1
    assert json.loads(records.kept)[1] == json.loads(odd)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 401])
def test_a_number_that_python_cannot_write_does_not_make_the_page_unreadable(number: str) -> None:
    records = read_records(f'[{{"_id": "a", "hash": "x", "n": {number}}}]'.encode())

    assert json.loads(records.kept) == [{"_id": "a", "n": number}]


@pytest.mark.parametrize("levels", [500, 700, 5_000])
@pytest.mark.parametrize("secret", [b"", b', "hash": "canary"'])
def test_a_deep_record_does_not_affect_others_and_is_named_if_it_is_cut(levels: int, secret: bytes) -> None:
    deep = b'{"x": [' * (levels // 2) + b'{"hash": "canary"}' + b"]}" * (levels // 2)
    body = b'[{"_id": "a"}, {"_id": "deep", "x": ' + deep + secret + b'}, {"_id": "b"}]'

    records = read_records(body)

    assert records.ids == ("a", "deep", "b")
    assert b"canary" not in records.kept
    assert [record["_id"] for record in json.loads(records.kept)] == ["a", "deep", "b"]
    assert records.cut == (() if levels == 500 else records.cut)
    assert not records.cut or (records.cut == (2,) and records.id_at(2) == "deep")
    assert records.cut == (2,) or levels < 5_000


def test_a_user_named_like_the_note_about_depth_is_not_cut() -> None:
    assert read_records(b'[{"_id": "a", "hash": 1, "x": "(nested too deep to be kept)"}]').cut == ()


def test_a_number_with_thousands_of_digits_does_not_make_the_page_unreadable() -> None:
    records = read_records(b'[{"_id": "a", "x": ' + b"9" * 5000 + b'}, {"_id": 3}]')

    assert records.ids == ("a", "3")
    assert records.without_id == 0


_NAMES = st.sampled_from(["_id", "userName", "groups", "hash", "api_Key", "PASS-WORD", "to\u212aen", "x"]) | st.text(
    max_size=5
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.search
@looking_for(quick=100, deep=3000)
@given(st.lists(_VALUES | st.dictionaries(_NAMES, _VALUES, max_size=6), max_size=5), st.booleans())
def test_both_parsers_read_a_page_the_same_way(document: list[object], is_escaped: bool) -> None:
    body = json.dumps(document, ensure_ascii=is_escaped).encode("utf-8", "surrogatepass")

    found = []
    for written in (body, b"\xef\xbb\xbf" + body):  # with a mark before it, only the careful reader reads it
        try:
            records = read_records(written)
            found.append((records.ids, records.without_id, records.kept.removeprefix(b"\xef\xbb\xbf")))
        except BadAnswerError:
            found.append(None)

    assert found[0] == found[1]


@pytest.mark.parametrize("key", ["hash", "Pass_Word", "api-key", "resetToken", "to\u212aen", "clientSECRET"])
@pytest.mark.parametrize("record", ['{{"_id": "a", "{}": "x"}}', '{{"_id": "a", "list": [{{"in": {{"{}": "x"}}}}]}}'])
def test_a_secret_is_removed_wherever_it_is(key: str, record: str) -> None:
    records = read_records(f"[{record.format(key)}]".encode())

    assert records.redacted
    assert key.encode() not in records.kept
    assert records.ids == ("a",)
