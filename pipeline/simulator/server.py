"""Runs a simulated Sisense over real HTTP, in a thread of this process, on loopback only."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import tempfile
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipeline.errors import UsageError
from pipeline.simulator import population as populations
from pipeline.simulator.app import SCIM_BASE, Sisense
from pipeline.simulator.population import DOMAIN, Population
from pipeline.simulator.scenarios import SCENARIOS, TENANT_PREFIX

__all__ = ["Simulator"]

_HOST = "127.0.0.1"


class Simulator:
    """A Sisense to run against, from ``with`` to the end of the block.

    ``url`` is its address, ``username`` and ``password`` are the caller's, ``token`` is an API token. ``scim_url``
    and ``scim_token`` belong to its SCIM endpoint. ``sisense`` is the instance behind it, with its request log. With
    TLS, ``ca_path`` is the certificate to trust.

    Raises:
        UsageError: an unknown scenario, too few accounts, or a port that is taken.
    """

    def __init__(
        self,
        accounts: int = 2_000,
        seed: int = 7,
        *,
        population: Population | None = None,
        scenarios: Iterable[str] = (),
        port: int = 0,
        tls: bool = False,
    ) -> None:
        names = tuple(scenarios)
        if unknown := [name for name in names if name not in SCENARIOS]:
            raise UsageError(
                f"there is no scenario '{unknown[0]}'", where="simulator", hint=f"use one of {', '.join(SCENARIOS)}"
            )
        if population is None and accounts < populations.SMALLEST:
            raise UsageError(
                f"{accounts} accounts are too few: a synthetic organisation has at least {populations.SMALLEST}",
                where="simulator",
                hint=f"choose {populations.SMALLEST} or more",
            )
        self.population = population or populations.build(accounts, seed, datetime.now(UTC))
        self.sisense = Sisense(self.population, names)
        self.username = self.sisense.username
        self.password = self.sisense.password
        self.token = self.sisense.issue_token()
        self.scim_token = self.sisense.scim_token
        self._prefix = TENANT_PREFIX if "tenant-prefix" in names else ""
        self._wanted_port = port
        self._folder = tempfile.TemporaryDirectory(prefix="simulator-") if tls else None
        self.port = 0
        self.ca_path: Path | None = None

    @property
    def url(self) -> str:
        """Return the address to configure, without a slash at the end."""
        return f"{'https' if self._folder else 'http'}://{_HOST}:{self.port}{self._prefix}"

    @property
    def scim_url(self) -> str:
        """Return the address of its SCIM endpoint."""
        return self.url + SCIM_BASE

    def __enter__(self) -> Simulator:
        self._socket = self._listen()
        self.port = self._socket.getsockname()[1]
        certificate: dict[str, Any] = {}
        if self._folder:
            self.ca_path, key_path = _self_signed(Path(self._folder.name))
            certificate = {"ssl_certfile": str(self.ca_path), "ssl_keyfile": str(key_path)}
        self._server = _Server(
            uvicorn.Config(
                self.sisense.app,
                http=_Protocol,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                log_level="critical",  # connections that a scenario cuts are expected
                timeout_graceful_shutdown=1,  # do not wait longer for a stalled answer
                access_log=False,
                **certificate,
            )
        )
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._thread.start()
        self._server.is_ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        if self._folder:
            self._folder.cleanup()

    def _listen(self) -> socket.socket:
        # asyncio disables Nagle's delay only if the protocol is given; otherwise each answer takes 40 ms longer
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, self._wanted_port))
        except OSError as problem:
            listener.close()
            raise UsageError(
                f"port {self._wanted_port} cannot be used: {problem.strerror}",
                where=f"simulator on {_HOST}",
                hint="choose another port, or leave --port out to use a free one",
            ) from problem
        return listener

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def write_files(self, folder: Path) -> dict[str, Path]:
        """Write roster, policy, answer key and a configuration that points here; return their paths by name."""
        policy = folder / "policy"
        policy.mkdir(parents=True, exist_ok=True)
        contents = {
            "people.csv": self.population.roster_csv(),
            "planted.csv": self.population.planted_csv(),
            "access-review.toml": self._configuration(),
            **{f"policy/{name}": text for name, text in self.population.policy_files().items()},
        }
        paths = {}
        for name, text in contents.items():
            paths[name] = folder / name
            paths[name].write_text(text, encoding="utf-8", newline="")
        return paths

    def _configuration(self) -> str:
        trust = "" if self.ca_path is None else f'ca_bundle = "{self.ca_path}"\n'
        return (
            "# A synthetic organisation on the built-in simulator; all people in it are invented.\n"
            "# planted.csv is the answer key: what the rules must find.\n"
            "[organization]\n"
            'name = "Example Corp"\n'
            f'email_domains = ["{DOMAIN}"]\n\n'
            "[sources.prod]\n"
            'kind = "sisense"\n'
            f'url = "{self.url}"\n'
            f'username = "{self.username}"\n'
            f"{trust}\n"
            "[roster]\n"
            'path = "people.csv"\n\n'
            "[policy]\n"
            'directory = "policy"\n'
        )


class _Server(uvicorn.Server):
    """Signals when it is ready, so that nothing has to poll it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.is_ready.set()


class _Protocol(H11Protocol):
    """Passes the connection on, so that a scenario can cut it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self.app_state = {"transport": transport}


def _self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(_HOST))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / "ca.pem", folder / "key.pem"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.touch(mode=0o600)
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_path, key_path
