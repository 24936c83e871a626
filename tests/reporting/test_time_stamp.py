"""Time stamps of a sealed folder: requested from an authority, checked offline, and every manipulation named."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from pipeline.errors import ContentError, RenderError, UnreachableError, UsageError
from pipeline.evidence.stamping import stamp
from pipeline.evidence.time_stamp import Authorities, request
from pipeline.evidence.verification import FolderVerification, verify
from tests.fakes.forger import reseal
from tests.fakes.http import Reply
from tests.fakes.time_stamp_authority import Authority, Certified
from tests.reporting.sealing import contents, make_key, write

TSR = "manifest.json.tsr"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with Authority(tmp_path_factory.mktemp("authority")) as running:
        yield running


@pytest.fixture(autouse=True)
def _honest(authority: Authority) -> None:
    authority.fault = lambda _, answer: answer


@pytest.fixture
def stamped(sealed: Path, authority: Authority) -> Path:
    stamp(sealed, authority.url, {})
    return sealed


def check(folder: Path, root: Certified | None = None) -> FolderVerification:
    return verify(folder, authorities=Authorities.read(root.path) if root else None)


def problem(folder: Path, root: Certified | None = None) -> str:
    found = check(folder, root)
    [only] = found.problems
    assert only.path == TSR
    assert found.time_stamp.state in {"bad", "none"}
    return only.what


def test_a_stamped_folder_verifies_offline_and_says_who_stamped_it_and_when(stamped: Path, authority: Authority):
    before = len(authority.requests)

    found = check(stamped, authority.root)

    assert found.problems == ()
    assert found.time_stamp.state == "trusted"
    assert found.time_stamp.stamp is not None
    assert found.time_stamp.stamp.authority == "Example Time Stamping (Example Trust)"
    assert abs(found.time_stamp.stamp.stamped_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert found.time_stamp.delay is not None
    assert found.time_stamp.delay > timedelta(days=1)  # information: the extract of this folder is older
    assert len(authority.requests) == before


@pytest.mark.parametrize("count", range(4))
def test_the_certificates_of_a_stamp_may_have_any_order(
    sealed: Path, tmp_path: Path, count: int, authority: Authority
):
    """OpenSSL writes the signer's first, and then the others as they are configured."""
    others = [
        Certified.make(tmp_path / f"other-{number}.pem", "Other" * (number + 1), authority.root)
        for number in range(count)
    ]
    found = []
    for sent in ([authority.root, *others], [*others, authority.root], [*reversed(others), authority.root]):
        authority.sent = sent
        (sealed / TSR).unlink(missing_ok=True)
        stamp(sealed, authority.url, {})
        found.append(check(sealed, authority.root).time_stamp.state)
        assert openssl_accepts(sealed, authority.root)
    authority.sent = []

    assert found == ["trusted"] * 3


def openssl_accepts(folder: Path, root: Certified) -> bool:
    asked = ("-in", folder / TSR, "-data", folder / "manifest.json", "-CAfile", root.path)
    return subprocess.run(["openssl", "ts", "-verify", *asked], capture_output=True, check=False).returncode == 0


def test_a_stamp_is_not_trusted_without_a_certificate(stamped: Path, sealed: Path):
    found = check(stamped)

    assert found.problems == ()
    assert found.time_stamp.state == "unchecked"


def test_only_a_hash_is_sent(stamped: Path, authority: Authority):
    body = authority.requests[-1].body

    assert len(body) < 100
    assert b"snapshot" not in body


def test_openssl_checks_the_stamp_too(stamped: Path, authority: Authority):
    checked = subprocess.run(
        [
            *("openssl", "ts", "-verify", "-in", stamped / TSR, "-data", stamped / "manifest.json"),
            *("-CAfile", authority.root.path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Verification: OK" in checked.stdout


def test_a_signature_and_a_stamp_stand_beside_each_other(database, tmp_path: Path, authority: Authority):
    key, public = make_key(tmp_path / "key")
    folder = write(database(), tmp_path / "out", key=key).folder
    stamp(folder, authority.url, {})

    found = verify(folder, key=public, authorities=Authorities.read(authority.root.path))

    assert (found.problems, found.signature, found.time_stamp.state) == ((), "trusted", "trusted")


def test_the_same_report_written_again_keeps_its_stamp_and_another_one_stands_beside_it(
    database, tmp_path: Path, authority: Authority
):
    connection = database()
    folder = write(connection, tmp_path).folder
    stamp(folder, authority.url, {})
    first = contents(folder)

    write(connection, tmp_path)
    assert contents(folder) == first
    asked = len(authority.requests)
    stamp(folder, authority.url, {})
    assert (contents(folder), len(authority.requests)) == (first, asked)

    written = write(connection, tmp_path, "html")
    [kept] = [each for each in tmp_path.iterdir() if each != folder]
    assert not (folder / TSR).exists()
    assert contents(kept) == first
    assert f"the earlier report is kept as {kept}: it is time-stamped" in written.warnings


def test_a_certificate_may_expire_after_the_stamp(sealed: Path, authority: Authority):
    short = Certified.make(authority.folder / "short.pem", "Short", authority.root, ends=timedelta(seconds=3))
    authority.fault = lambda query, _: authority.stamp(query, short)
    stamp(sealed, authority.url, {})

    while datetime.now(UTC) <= short.certificate.not_valid_after_utc:
        time.sleep(0.1)

    assert check(sealed, authority.root).problems == ()


# What an authority answers wrongly


def stale(authority: Authority, folder: Path) -> None:
    earlier = authority.stamp(request((folder / "manifest.json").read_bytes()).as_bytes())
    authority.fault = lambda _, answer: earlier


def foreign_hash(authority: Authority, folder: Path) -> None:
    other = authority.stamp(request(b"another manifest").as_bytes())
    authority.fault = lambda _, answer: other


def refusal(authority: Authority, folder: Path) -> None:
    authority.fault = lambda query, _: authority.stamp(query, digests="sha512")


def page(authority: Authority, folder: Path) -> None:
    authority.fault = lambda _, __: Reply(200, b"<!doctype html><title>Sign in</title>", "text/html")


def cut(authority: Authority, folder: Path) -> None:
    authority.fault = lambda _, answer: answer[:-40]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (stale, "answers another request: its nonce is not the one that was sent"),
        (foreign_hash, "is for another file: its hash is not that of manifest.json"),
        (refusal, "is a refusal of the authority: Message digest algorithm is not supported."),
        (page, "is not a time stamp of RFC 3161"),
        (cut, "is not a time stamp of RFC 3161"),
    ],
)
def test_a_wrong_answer_is_not_kept(
    sealed: Path, authority: Authority, fault: Callable[[Authority, Path], None], said: str
):
    fault(authority, sealed)

    with pytest.raises(ContentError) as caught:
        stamp(sealed, authority.url, {})

    assert said in caught.value.message
    assert caught.value.where == authority.url.removesuffix("/tsr")
    assert not (sealed / TSR).exists()


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (Reply(503), UnreachableError, "answers 503"),
        (Reply(429), UnreachableError, "answers 429"),
        (Reply(404), ContentError, "answers 404"),
        (Reply(302, headers={"Location": "http://127.0.0.1:9/"}), ContentError, "answers 302"),
        (Reply(200, b"x" * 300_000), ContentError, "is too long"),
        (Reply(reset=True), UnreachableError, "the server closed it without an answer"),
    ],
)
def test_a_server_in_trouble_is_named(sealed: Path, authority: Authority, reply: Reply, kind: type, said: str):
    authority.fault = lambda _, __: reply

    with pytest.raises(kind, match=said):
        stamp(sealed, authority.url, {})


def test_a_stamp_of_a_clock_that_is_wrong_is_not_kept(sealed: Path, authority: Authority):
    reseal(sealed, extracted={"started_at": None, "finished_at": "2999-01-01T00:00:00.000Z"})

    with pytest.raises(ContentError, match="before the extract ended"):
        stamp(sealed, authority.url, {})


def test_a_folder_that_cannot_be_written_is_named(sealed: Path, authority: Authority, tmp_path: Path):
    with pytest.raises(RenderError, match=r"manifest\.json"):
        stamp(tmp_path / "nowhere", authority.url, {})


# What a forger does to a stamp


def test_a_stamp_of_another_folder_is_named_even_without_a_certificate(stamped: Path, authority: Authority):
    reseal(stamped, organization="Another Corp")

    assert problem(stamped) == "is for another file: its hash is not that of manifest.json"
    assert problem(stamped, authority.root) == problem(stamped)


def test_a_stamp_that_contradicts_the_manifest_is_named(sealed: Path, authority: Authority):
    reseal(sealed, extracted={"started_at": None, "finished_at": "2999-01-01T00:00:00.000Z"})
    query = request((sealed / "manifest.json").read_bytes())
    (sealed / TSR).write_bytes(authority.stamp(query.as_bytes()))

    assert "before the extract ended (2999-01-01 00:00:00 UTC)" in problem(sealed)


def test_a_removed_stamp_is_named_where_a_certificate_is_given(stamped: Path, authority: Authority):
    (stamped / TSR).unlink()

    assert check(stamped).time_stamp.state == "none"
    assert check(stamped).problems == ()
    assert "is missing: the folder is not time-stamped" in problem(stamped, authority.root)


def test_a_stamp_of_a_foreign_authority_is_named(stamped: Path, authority: Authority, tmp_path: Path):
    """Also one that has the same name."""
    with Authority(tmp_path / "foreign") as foreign:
        assert "'Example Time Stamping (Example Trust)', which the certificate of --tsa-certificate does not" in (
            problem(stamped, foreign.root)
        )


def forged(authority: Authority, folder: Path, signer: Certified) -> str:
    query = request((folder / "manifest.json").read_bytes())
    (folder / TSR).write_bytes(authority.stamp(query.as_bytes(), signer))
    return problem(folder, authority.root)


def test_a_certificate_that_had_expired_is_named(sealed: Path, authority: Authority):
    expired = Certified.make(authority.folder / "expired.pem", "Old", authority.root, ends=timedelta(days=-1))

    assert "'Old (Example Trust)' with a certificate that had expired when it was made" in (
        forged(authority, sealed, expired)
    )


def test_a_certificate_that_was_not_yet_valid_is_named(sealed: Path, authority: Authority):
    early = Certified.make(authority.folder / "early.pem", "New", authority.root, begins=timedelta(days=1))

    assert "a certificate that was not yet valid when it was made" in forged(authority, sealed, early)


def test_a_certificate_that_is_not_for_time_stamps_is_named(stamped: Path, authority: Authority):
    """OpenSSL refuses to stamp with one, so a twin of the authority's certificate takes its place in the stamp."""
    original = authority.signer.certificate
    builder = (
        x509.CertificateBuilder(original.issuer, original.subject, original.public_key(), original.serial_number)
        .not_valid_before(original.not_valid_before_utc)
        .not_valid_after(original.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=True)
    )
    old = original.public_bytes(Encoding.DER)
    signed = (builder.sign(authority.root.key, hashes.SHA256()).public_bytes(Encoding.DER) for _ in range(200))
    new = next(each for each in signed if len(each) == len(old))  # signatures have 70 to 72 bytes
    (stamped / TSR).write_bytes((stamped / TSR).read_bytes().replace(old, new))

    assert problem(stamped, authority.root).endswith("that is not one for time stamps")


@pytest.mark.parametrize("part", ["time", "signature"])
def test_a_changed_byte_is_named(stamped: Path, authority: Authority, part: str):
    content = bytearray((stamped / TSR).read_bytes())
    moment = re.search(rb"20\d{12}Z", content)
    assert moment is not None
    # the last digit of the second, or the signature, which is at the end
    position = moment.end() - 2 if part == "time" else len(content) - 5
    content[position] ^= 1
    (stamped / TSR).write_bytes(content)

    assert problem(stamped, authority.root) == "has been changed: its signature does not match"


def test_a_file_that_is_not_a_stamp_is_named_even_without_a_certificate(stamped: Path):
    (stamped / TSR).write_bytes(b"stamped, honestly")

    assert problem(stamped) == "is not a time stamp of RFC 3161"


def test_a_link_instead_of_a_stamp_is_named(stamped: Path, tmp_path: Path):
    shutil.move(stamped / TSR, tmp_path / TSR)
    (stamped / TSR).symlink_to(tmp_path / TSR)

    assert [(each.path, each.what) for each in check(stamped).problems] == [(TSR, "is not a regular file")]


def test_no_other_file_is_allowed_beside_the_manifest(stamped: Path):
    (stamped / "manifest.json.tsr.old").write_bytes(b"x")
    (stamped / "raw" / TSR).write_bytes(b"x")

    assert {each.path for each in check(stamped).problems} >= {"manifest.json.tsr.old", f"raw/{TSR}"}


# The certificate that the caller trusts


def test_the_certificate_may_be_in_der_form_and_have_intermediates_beside_it(
    stamped: Path, authority: Authority, tmp_path: Path
):
    (tmp_path / "root.crt").write_bytes(authority.root.certificate.public_bytes(Encoding.DER))
    (tmp_path / "both.pem").write_bytes(authority.signer.path.read_bytes() + authority.root.path.read_bytes())

    for name in ("root.crt", "both.pem"):
        assert verify(stamped, authorities=Authorities.read(tmp_path / name)).time_stamp.state == "trusted"


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read"), (b"", "holds no certificate"), (b"-----BEGIN CERTIFICATE-----\n", "no certificate")],
)
def test_a_file_without_a_certificate_is_a_usage_error(tmp_path: Path, content: bytes | None, said: str):
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)

    with pytest.raises(UsageError, match=said):
        Authorities.read(tmp_path / "ca.pem")


def test_the_certificate_of_the_authority_without_its_root_is_a_usage_error(authority: Authority):
    with pytest.raises(UsageError, match="holds no root certificate"):
        Authorities.read(authority.signer.path)


def test_the_manifest_does_not_depend_on_the_stamp(stamped: Path):
    assert TSR not in {row["path"] for row in json.loads((stamped / "manifest.json").read_bytes())["files"]}
