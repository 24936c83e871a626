"""Ed25519 signatures of manifests: the only module that touches a key.

The signature is the 64 bytes of RFC 8032 over the bytes of the manifest, and keys are PEM files. So
``openssl pkeyutl -verify -pubin -inkey KEY -rawin -in manifest.json -sigfile manifest.json.sig`` checks it too. A
private key is read when it is needed, never logged, and written only by :func:`generate`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from pipeline.errors import ConfigurationError, UsageError

__all__ = ["KEY_VARIABLE", "PUBLIC_KEY_FILE", "PublicKey", "SigningKey", "generate", "signing_key"]

#: The environment variable that names the file of the private key.
KEY_VARIABLE = "ACCESS_REVIEW_SIGNING_KEY_FILE"
#: The public key inside a signed folder. It proves nothing by itself: a forger can put their own key there.
PUBLIC_KEY_FILE = "public-key.pem"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that checks signatures."""

    key: Ed25519PublicKey

    @classmethod
    def read(cls, path: Path) -> PublicKey:
        """Read a PEM file.

        Raises:
            UsageError: the file cannot be read, or holds no public Ed25519 key.
        """
        hint = "name the public key of the signer: 'access-review keygen' writes it beside the private key"
        try:
            key = load_pem_public_key(path.read_bytes())
        except OSError as error:
            raise UsageError(
                f"the public key cannot be read: {error.strerror}", where=str(path), hint=hint
            ) from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise UsageError("the file holds no public key in PEM form", where=str(path), hint=hint) from error
        if not isinstance(key, Ed25519PublicKey):
            raise UsageError("the public key is not an Ed25519 key", where=str(path), hint=hint)
        return cls(key)

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 of the key in DER form: ``openssl pkey -pubin -outform DER | sha256sum``."""
        der = self.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(der).hexdigest()

    def pem(self) -> bytes:
        """Return the key in PEM form."""
        return self.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def accepts(self, signature: bytes, content: bytes) -> bool:
        """Return whether the signature of the content is valid for this key."""
        try:
            self.key.verify(signature, content)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """A private key; its representation does not show it."""

    _key: Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        """Return the public key of the pair."""
        return PublicKey(self._key.public_key())

    def sign(self, content: bytes) -> bytes:
        """Return the signature; the same content gives the same bytes."""
        return self._key.sign(content)


def signing_key(environment: Mapping[str, str]) -> SigningKey | None:
    """Read the private key that the environment names; return None if it names none.

    Raises:
        ConfigurationError: the file cannot be read, or holds no Ed25519 key without a passphrase.
    """
    name = environment.get(KEY_VARIABLE)
    if not name:
        return None
    hint = f"point {KEY_VARIABLE} at a key that 'access-review keygen' wrote, or unset it"
    try:
        key = load_pem_private_key(Path(name).read_bytes(), password=None)
    except OSError as error:
        raise ConfigurationError(
            f"the signing key cannot be read: {error.strerror}", where=name, hint=hint
        ) from error
    except TypeError:  # how the library says that a passphrase is needed
        raise ConfigurationError(
            "the signing key is encrypted, and this program cannot ask for its passphrase",
            where=name,
            hint=f"decrypt it with 'openssl pkey -in KEY -out PLAIN' to a file that only you can read, "
            f"and point {KEY_VARIABLE} there",
        ) from None
    except (ValueError, UnsupportedAlgorithm):  # their messages may quote bytes of the key
        raise ConfigurationError("the file holds no private key in PEM form", where=name, hint=hint) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError("the signing key is not an Ed25519 key", where=name, hint=hint)
    return SigningKey(key)


def generate(path: Path) -> tuple[Path, PublicKey]:
    """Write a new private key that only this user can read, and its public key; return the latter and its path.

    Raises:
        UsageError: one of the files exists already, or cannot be written.
    """
    public_path = path.with_name(path.name + ".pub")
    for existing in (path, public_path):
        if existing.exists() or existing.is_symlink():
            raise UsageError(
                "the file exists, and a key is never overwritten",
                where=str(existing),
                hint="name another path with --out",
            )
    key = Ed25519PrivateKey.generate()
    public = PublicKey(key.public_key())
    try:
        _write_new(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
        try:
            _write_new(public_path, public.pem(), 0o644)
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
    except OSError as error:
        raise UsageError(
            f"the key cannot be written: {error.strerror}",
            where=str(error.filename or path),
            hint="name a path in a folder that exists and that you may write to with --out",
        ) from error
    return public_path, public


def _write_new(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
