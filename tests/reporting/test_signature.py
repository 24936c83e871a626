"""Signatures of a sealed folder, and the keys that make them."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import ConfigurationError, UsageError
from pipeline.evidence import signature
from tests.fakes.forger import reseal
from tests.reporting.sealing import check, contents, make_key, named, remove_row, write


def test_a_report_that_others_rest_on_is_kept_and_one_that_loses_its_signature_is_named(database, tmp_path):
    key, _ = make_key(tmp_path / "key.pem")
    connection = database()
    folder = write(connection, tmp_path / "out", key=key).folder
    first = contents(folder)
    sha256 = hashlib.sha256(first["manifest.json"]).hexdigest()
    for name, content in (
        ("20261101T000000Z-0001", json.dumps({"previous_manifest_sha256": sha256})),
        ("list", "[]"),
        ("odd", "{"),
    ):
        (tmp_path / "out" / name).mkdir()
        (tmp_path / "out" / name / "manifest.json").write_text(content)

    warnings = write(connection, tmp_path / "out").warnings
    again = write(connection, tmp_path / "out", "graph").warnings

    kept = folder.with_name(f"{folder.name}-replaced-{sha256[:8]}")
    assert contents(kept) == first
    assert warnings == (
        "the earlier report was signed, and the new one is not: set ACCESS_REVIEW_SIGNING_KEY_FILE and report again",
        f"the earlier report is kept as {kept}: 20261101T000000Z-0001 rests on it",
    )
    assert again == ()


def test_a_signature_is_trusted_only_with_a_key_from_elsewhere(database, tmp_path):
    key, public = make_key(tmp_path / "key")
    _, stranger = make_key(tmp_path / "other")

    folder = write(database(), tmp_path / "out", key=key).folder

    assert check(folder).signature == "unproven"
    assert check(folder).fingerprint == public.fingerprint
    assert check(folder, public).signature == "trusted"
    assert check(folder, public).problems == ()
    assert named(check(folder, stranger)) == {"manifest.json.sig"}


def test_an_unsigned_folder_fails_where_a_key_is_given(sealed, tmp_path):
    _, public = make_key(tmp_path / "key")

    assert named(check(sealed, public)) == {"manifest.json.sig"}


def test_recomputed_hashes_and_a_wrong_key_do_not_pass(database, tmp_path):
    key, public = make_key(tmp_path / "key")
    forger, _ = make_key(tmp_path / "forger")
    folder = write(database(), tmp_path / "out", key=key).folder
    remove_row(folder)

    reseal(folder)
    assert named(check(folder)) == {"manifest.json.sig"}

    (folder / "public-key.pem").write_bytes(forger.public.pem())
    reseal(folder)
    (folder / "manifest.json.sig").write_bytes(forger.sign((folder / "manifest.json").read_bytes()))
    assert check(folder).signature == "unproven"  # all that can be said without a key from elsewhere
    assert named(check(folder, public)) == {"manifest.json.sig"}


@pytest.mark.parametrize("stripped", ["manifest.json.sig", "public-key.pem"])
def test_half_a_signature_is_not_an_unsigned_folder(database, tmp_path, stripped):
    key, _ = make_key(tmp_path / "key")
    folder = write(database(), tmp_path / "out", key=key).folder

    (folder / stripped).unlink()

    assert stripped in named(check(folder))


def test_openssl_checks_the_signature_too(database, tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, _ = make_key(tmp_path / "key")
    folder = write(database(), tmp_path / "out", key=key).folder

    shown = subprocess.run(
        [
            *("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", tmp_path / "key.pub", "-rawin"),
            *("-in", folder / "manifest.json", "-sigfile", folder / "manifest.json.sig"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (shown.returncode, shown.stdout) == (0, "Signature Verified Successfully\n")


def test_keys_are_private_and_never_overwritten(tmp_path):
    signature.generate(tmp_path / "key")

    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    before = contents(tmp_path)
    with pytest.raises(UsageError, match="the file exists"):
        signature.generate(tmp_path / "key")
    (tmp_path / "new.pub").write_text("in the way")
    with pytest.raises(UsageError, match="the file exists"):
        signature.generate(tmp_path / "new")
    assert contents(tmp_path) == before | {"new.pub": b"in the way"}


def encrypted(path: Path) -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"a passphrase"),
        )
    )
    return "is encrypted"


def of_another_kind(path: Path) -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    path.write_bytes(
        X25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return "not an Ed25519 key"


def garbage(path: Path) -> str:
    path.write_bytes(b"-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n")
    return "holds no private key"


def missing(path: Path) -> str:
    assert not path.exists()
    return "cannot be read"


@pytest.mark.parametrize("make", [encrypted, of_another_kind, garbage, missing])
def test_an_unusable_key_is_a_configuration_error(tmp_path, make: Callable[[Path], str]):
    said = make(tmp_path / "key")

    with pytest.raises(ConfigurationError, match=said) as caught:
        signature.signing_key({signature.KEY_VARIABLE: str(tmp_path / "key")})

    assert caught.value.exit_code == 2
    assert signature.KEY_VARIABLE in caught.value.hint
    assert "canary" not in f"{caught.value}{caught.value.hint}"


def test_a_signing_key_does_not_show_itself(tmp_path):
    key, _ = make_key(tmp_path / "key")

    body = (tmp_path / "key").read_text().splitlines()[1]
    assert body not in repr(key) + str(key)
