"""The environment of a machine: proxies, certificates, and secrets that were copied with a line end."""

from __future__ import annotations

import base64
import json
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest

import pipeline
from pipeline import settings
from pipeline.errors import ConfigurationError, UnreachableError
from pipeline.settings import Credentials, Secret
from pipeline.sources.network import Proxy, find_proxy, find_route
from pipeline.sources.webhook import Webhook
from tests.cases.case import Case, each
from tests.e2e.conftest import run_command
from tests.fakes.http import HttpServer, Reply, Request, as_json
from tests.fakes.sisense import API_TOKEN, PASSWORD, USERNAME, FakeSisense, accounts
from tests.sources.conftest import BY_PASSWORD, Extracting

HOST = "https://bi.example.com"
BROKEN = "http://proxy.example.com:99999"
SECRET = "canary-of-a-proxy"

UNUSABLE = [
    Case("proxy", "a port above 65535", "HTTPS_PROXY", {"HTTPS_PROXY": BROKEN}),
    Case("proxy", "a port that is no number", "HTTPS_PROXY", {"HTTPS_PROXY": "http://proxy.example.com:http"}),
    Case("proxy", "port 0", "HTTPS_PROXY", {"HTTPS_PROXY": "http://proxy.example.com:0"}),
    Case("proxy", "in lower case", "https_proxy", {"https_proxy": BROKEN}),
    Case(
        "proxy", "the lower case before the upper", "https_proxy", {"https_proxy": BROKEN, "HTTPS_PROXY": "http://p"}
    ),
    Case("proxy", "for everything", "ALL_PROXY", {"ALL_PROXY": BROKEN}),
    Case("proxy", "a kind of SOCKS", "ALL_PROXY", {"ALL_PROXY": "socks://proxy.example.com:1080"}),
    Case("proxy", "SOCKS 4", "ALL_PROXY", {"ALL_PROXY": "socks4://proxy.example.com:1080"}),
    Case("proxy", "ftp", "ALL_PROXY", {"ALL_PROXY": "ftp://proxy.example.com"}),
    Case("proxy", "no host", "HTTPS_PROXY", {"HTTPS_PROXY": "http://:3128"}),
    Case("proxy", "only a scheme", "HTTPS_PROXY", {"HTTPS_PROXY": "http://"}),
    Case("proxy", "half an IPv6 address", "HTTPS_PROXY", {"HTTPS_PROXY": "http://[::1:3128"}),
    Case("proxy", "a blank in the host", "HTTPS_PROXY", {"HTTPS_PROXY": "http://my proxy:3128"}),
    Case("proxy", "a password with '#'", "HTTPS_PROXY", {"HTTPS_PROXY": f"http://u:{SECRET}#1@proxy:3128"}),
    Case("proxy", "a password with '/'", "HTTPS_PROXY", {"HTTPS_PROXY": f"http://u:{SECRET}/1@proxy:3128"}),
    Case("proxy", "a user name with '?'", "HTTPS_PROXY", {"HTTPS_PROXY": f"http://u?{SECRET}@proxy:3128"}),
    Case("proxy", "words", "HTTPS_PROXY", {"HTTPS_PROXY": "ask the network team"}),
    Case("certificates", "a file that is not there", "SSL_CERT_FILE", {"SSL_CERT_FILE": "/nowhere/ca.pem"}),
    Case("certificates", "an empty file", "SSL_CERT_FILE", {"SSL_CERT_FILE": "/dev/null"}),
    Case("certificates", "a folder in place of a file", "SSL_CERT_FILE", {"SSL_CERT_FILE": "/"}),
    Case("certificates", "a folder that is not there", "SSL_CERT_DIR", {"SSL_CERT_DIR": "/nowhere"}),
]


@each(UNUSABLE)
def test_a_variable_that_matters_and_cannot_be_used_is_named(case: Case) -> None:
    with pytest.raises(ConfigurationError) as caught:
        find_route(HOST, environment=case.content)

    assert case.outcome in caught.value.message
    assert case.outcome in caught.value.where
    assert SECRET not in f"{caught.value} {caught.value.hint}"


@each(UNUSABLE)
def test_a_variable_that_does_not_matter_for_the_host_is_ignored(case: Case) -> None:
    if "proxy" in case.kind:
        assert find_route(HOST, environment={**case.content, "NO_PROXY": "example.com"}).proxy is None
    assert find_route("http://127.0.0.1:8081", environment=case.content).proxy is None
    find_route(HOST, verify_tls=False, environment={k: v for k, v in case.content.items() if "CERT" in k})


USABLE = [
    Case("proxy", "host and port alone", "http://proxy:3128", {"HTTPS_PROXY": "proxy:3128"}),
    Case("proxy", "a blank and a line end around", "http://proxy:3128", {"HTTPS_PROXY": " http://proxy:3128 \n"}),
    Case("proxy", "a slash behind", "http://proxy:3128", {"HTTPS_PROXY": "http://proxy:3128/"}),
    Case("proxy", "over TLS", "https://proxy:3129", {"HTTPS_PROXY": "https://proxy:3129"}),
    Case("proxy", "an IPv6 address", "http://[::1]:3128", {"HTTPS_PROXY": "http://[::1]:3128"}),
    Case("proxy", "for everything", "http://proxy:3128", {"ALL_PROXY": "http://proxy:3128"}),
    Case(
        "proxy", "its own before the one for everything", "http://a:1", {"HTTPS_PROXY": "a:1", "ALL_PROXY": "ftp://b"}
    ),
    Case("proxy", "only for another scheme", None, {"HTTP_PROXY": BROKEN}),
    Case("proxy", "switched off in lower case", None, {"https_proxy": "", "HTTPS_PROXY": BROKEN}),
    Case("proxy", "blank", None, {"HTTPS_PROXY": " "}),
]


@each(USABLE)
def test_a_valid_variable_is_used(case: Case) -> None:
    proxy = find_route(HOST, environment=case.content).proxy

    assert (proxy.url if proxy else None) == case.outcome


def test_under_cgi_a_request_header_sets_no_proxy() -> None:
    environment = {"HTTP_PROXY": "http://evil.example.com", "REQUEST_METHOD": "GET"}

    assert find_proxy("http://bi.example.com", environment) is None


def test_the_credential_of_a_proxy_is_used_and_not_shown() -> None:
    proxy = find_proxy(HOST, {"HTTPS_PROXY": f"http://us%40er:{SECRET}%2F1@proxy:3128"})

    assert proxy == Proxy("HTTPS_PROXY", "http://proxy:3128", ("us@er", f"{SECRET}/1"))
    assert SECRET not in repr(proxy)


EXEMPT = [
    Case("NO_PROXY", "the host", "covered", ("bi.example.com", HOST)),
    Case("NO_PROXY", "upper case", "covered", ("BI.Example.COM", HOST)),
    Case("NO_PROXY", "the domain", "covered", ("example.com", HOST)),
    Case("NO_PROXY", "the domain with a dot", "covered", (".example.com", HOST)),
    Case("NO_PROXY", "a pattern", "covered", ("*.example.com", HOST)),
    Case("NO_PROXY", "everything", "covered", ("*", HOST)),
    Case("NO_PROXY", "among others", "covered", ("localhost, ::1/128 ,,example.com", HOST)),
    Case("NO_PROXY", "blanks between", "covered", ("localhost example.com", HOST)),
    Case("NO_PROXY", "the host and its port", "covered", ("bi.example.com:443", HOST)),
    Case("NO_PROXY", "with a scheme", "covered", ("https://bi.example.com", HOST)),
    Case("NO_PROXY", "an address", "covered", ("10.1.2.3", "https://10.1.2.3")),
    Case("NO_PROXY", "a network", "covered", ("10.0.0.0/8", "https://10.1.2.3")),
    Case("NO_PROXY", "an IPv6 network", "covered", ("fd07::/64", "https://[fd07::5]")),
    Case("NO_PROXY", "an IPv6 address", "covered", ("fd07::5", "https://[fd07:0:0::5]")),
    Case("NO_PROXY", "an IPv6 address in brackets with a port", "covered", ("[fd07::5]:443", "https://[fd07::5]")),
    Case("NO_PROXY", "names without a dot", "covered", ("<local>", "https://bi")),
    Case("NO_PROXY", "another host", "proxied", ("other.example.com", HOST)),
    Case("NO_PROXY", "a name that ends alike", "proxied", ("i.example.com", HOST)),
    Case("NO_PROXY", "another port", "proxied", ("bi.example.com:8443", HOST)),
    Case("NO_PROXY", "another scheme", "proxied", ("http://bi.example.com", HOST)),
    Case("NO_PROXY", "a network without the host", "proxied", ("10.0.0.0/8", "https://11.1.2.3")),
    Case("NO_PROXY", "networks that make no sense", "proxied", ("10.0.0.0/99,fd07::/x,[::1,]:,:/,%,://", HOST)),
    Case("NO_PROXY", "brackets", "proxied", ("[::1],[::1]:80,::1/128", HOST)),
]


@each(EXEMPT)
def test_no_proxy_is_read_as_in_other_programs(case: Case) -> None:
    entries, url = case.content
    for name in ("NO_PROXY", "no_proxy"):
        proxy = find_proxy(url, {"HTTPS_PROXY": "http://proxy:3128", name: entries})

        assert ("covered" if proxy is None else "proxied") == case.outcome


def test_the_readable_ones_of_several_certificates_are_trusted(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(Path(certifi.where()).read_bytes())
    environment = {"SSL_CERT_FILE": str(tmp_path / "ca.pem"), "SSL_CERT_DIR": f"/nowhere{os.pathsep}{tmp_path}"}

    assert find_route(HOST, environment=environment).trusted_by == "SSL_CERT_FILE and SSL_CERT_DIR"
    assert find_route(HOST, environment={**environment, "SSL_CERT_FILE": "/nowhere"}).trusted_by == "SSL_CERT_DIR"
    assert find_route(HOST, environment={"SSL_CERT_FILE": ""}).trusted_by is None


def test_the_certificates_of_the_environment_are_used(
    extracting: Extracting, certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, context = certificate
    with FakeSisense(accounts(3), tls=context) as fake:
        untrusted = extracting(fake)
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        trusted = extracting(fake)
        monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
        named = extracting(fake)

    assert "certificate is not trusted" in str(untrusted.error)
    assert trusted.failed == set()
    assert "SSL_CERT_FILE" in str(named.error)


def test_no_key_log_is_written(
    extracting: Extracting, certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "nowhere" / "keys"))
    path, context = certificate
    with FakeSisense(accounts(3), tls=context) as fake:
        done = extracting(fake, ca_bundle=path)

    assert done.failed == set()


@pytest.fixture
def forwarding() -> Iterator[tuple[FakeSisense, HttpServer]]:
    """A Sisense on this machine, and a proxy that reaches it for every host name."""
    with FakeSisense(accounts(3)) as fake, HttpServer(fake.answer) as proxy:
        yield fake, proxy


def test_a_working_proxy_is_used(
    extracting: Extracting, forwarding: tuple[FakeSisense, HttpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, proxy = forwarding
    monkeypatch.setenv("http_proxy", proxy.url.replace("http://", f"http://user:{SECRET}@"))
    monkeypatch.setenv("NO_PROXY", "::1/128,[::1],fd07::/64")

    done = extracting("http://bi.example.com", BY_PASSWORD)

    assert done.failed == set()
    basic = base64.b64encode(f"user:{SECRET}".encode()).decode()
    assert {request.headers.get("proxy-authorization") for request in proxy.requests} == {f"Basic {basic}"}


def _echo(request: Request) -> str:
    return json.dumps({"message": f"{request.headers.get('proxy-authorization')} {SECRET}"})


FAILURES = [
    Case("proxy", "it wants a credential", "407", Reply(407, media_type="text/plain")),
    Case("proxy", "it wants a credential, on a page", "407", Reply(407, media_type="text/html")),
    Case("proxy", "it forbids", "answers 403", Reply(403)),
    Case("proxy", "it does not reach the server", "answers 502", Reply(502)),
    Case("proxy", "it says nothing", "through|closed|answer", Reply(reset=True)),
]


@each(FAILURES)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_refusing_proxy_is_named_and_not_quoted(
    extracting: Extracting, monkeypatch: pytest.MonkeyPatch, scheme: str, case: Case
) -> None:
    reply: Reply = case.content

    def answer(request: Request) -> Reply:
        basic = request.headers.get("proxy-authorization", "")
        headers = {"Proxy-Authenticate": f"Basic realm={basic}"}
        return Reply(
            reply.status, _echo(request).encode(), reply.media_type, headers, reset=reply.reset, reason=f"No {basic}"
        )

    with HttpServer(answer) as proxy:
        monkeypatch.setenv(f"{scheme}_proxy", proxy.url.replace("http://", f"http://user:{SECRET}@"))
        done = extracting(f"{scheme}://bi.example.com", max_attempts=2)

    assert done.error is not None
    assert done.error.exit_code == 3
    if scheme == "https" or reply.status == 407:  # over plain http, an answer may be the server's as well
        assert f"a proxy from {scheme}_proxy is in the way" in str(done.error)
        assert f"correct {scheme}_proxy, or put bi.example.com on NO_PROXY" in done.error.hint
        assert any(word in str(done.error) for word in case.outcome.split("|"))
    if reply.status == 407:
        assert len(proxy.requests) == 1  # a refused credential is not tried again
    written = done.everything_written().decode() + str(done.error) + done.error.hint
    for canary in (SECRET, base64.b64encode(f"user:{SECRET}".encode()).decode()):
        assert canary not in written


UNREACHABLE = [
    Case("proxy", "nothing listens there", "no connection to it", "127.0.0.1:1"),
    Case("proxy", "its name is not known", "its host name is not known", "proxy.invalid:3128"),
]


@each(UNREACHABLE)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_unreachable_proxy_is_named(
    extracting: Extracting, monkeypatch: pytest.MonkeyPatch, scheme: str, case: Case
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"http://user:{SECRET}@{case.content}")

    done = extracting(f"{scheme}://bi.example.com", max_attempts=2)

    assert isinstance(done.error, UnreachableError)
    assert f"a proxy from ALL_PROXY is in the way: {case.outcome}" in str(done.error)
    assert SECRET not in str(done.error) + done.error.hint


def test_events_use_the_same_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(environment: dict[str, str]) -> None:
        secret = Secret("whsec_c2VjcmV0")
        webhook = Webhook(
            "https://hooks.example.com/x", secret, clock=lambda: 0, sleep=lambda _: None, environment=environment
        )
        with webhook:
            webhook.send("1", b"{}")

    with pytest.raises(ConfigurationError, match="HTTPS_PROXY"):
        send({"HTTPS_PROXY": BROKEN})
    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
        send({"SSL_CERT_FILE": "/nowhere"})
    with pytest.raises(UnreachableError, match="a proxy from HTTPS_PROXY is in the way"):
        send({"HTTPS_PROXY": "http://127.0.0.1:1"})
    with (
        HttpServer(lambda request: Reply(407)) as proxy,
        pytest.raises(UnreachableError, match=r"a proxy from HTTPS_PROXY is in the way.*407"),
    ):
        send({"HTTPS_PROXY": proxy.url})


def test_one_function_creates_every_http_client() -> None:
    makers = {
        path.name
        for path in Path(pipeline.__file__).parent.rglob("*.py")
        for call in ("httpx.Client(", "httpx.AsyncClient(", "create_default_context(", "urlopen(")
        if call in path.read_text(encoding="utf-8")
    }

    assert makers == {"network.py"}


COMMANDS = [
    Case("proxy", "an impossible port", "HTTPS_PROXY", ("extract", {"HTTPS_PROXY": BROKEN})),
    Case("proxy", "SOCKS", "ALL_PROXY", ("watch --every 1h --once", {"ALL_PROXY": "socks://127.0.0.1:1080"})),
    Case("certificates", "not there", "SSL_CERT_FILE", ("check", {"SSL_CERT_FILE": "/nowhere/ca.pem"})),
    Case(
        "certificates", "a folder that is not there", "SSL_CERT_DIR", ("users get ann", {"SSL_CERT_DIR": "/nowhere"})
    ),
]


@each(COMMANDS)
def test_every_command_ends_with_2_and_names_the_variable(case: Case, tmp_path: Path) -> None:
    command, environment = case.content
    (tmp_path / "access-review.toml").write_text(f'[sources.prod]\nkind = "sisense"\nurl = "{HOST}"\n')

    done = run_command(tmp_path, *command.split(), ACCESS_REVIEW_PROD_TOKEN=API_TOKEN, **environment)

    assert done.code == 2, done.stderr
    assert case.outcome in done.stdout + done.stderr


SECRETS = [
    Case("secret", "a token with a line end", "PROD_TOKEN", {"ACCESS_REVIEW_PROD_TOKEN": "canary-token\n"}),
    Case("secret", "a password with a line end", "PROD_PASSWORD", {"ACCESS_REVIEW_PROD_PASSWORD": "canary\n"}),
    Case("secret", "a password with a Windows one", "PROD_PASSWORD", {"ACCESS_REVIEW_PROD_PASSWORD": "canary\r"}),
    Case("secret", "two lines", "PROD_PASSWORD", {"ACCESS_REVIEW_PROD_PASSWORD": "canary\ncanary"}),
]


@each(SECRETS)
def test_a_secret_with_a_line_end_is_named(case: Case, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(f'[sources.prod]\nkind = "sisense"\nurl = "{HOST}"\nusername = "svc"\n')
    [source] = settings.load_settings(tmp_path / "c.toml").sources

    with pytest.raises(ConfigurationError, match="holds a line break or another character that no secret") as caught:
        source.credentials(case.content)

    assert case.outcome in caught.value.message
    assert "canary" not in str(caught.value)


def test_the_password_of_a_new_account_is_kept_secret(tmp_path: Path) -> None:
    with FakeSisense(accounts(2)) as fake:
        (tmp_path / "access-review.toml").write_text(f'[sources.prod]\nkind = "sisense"\nurl = "{fake.url}"\n')
        done = run_command(
            tmp_path, "users", "create", "--email", "a@example.com", "--role", "Viewer", "--password", "environment",
            ACCESS_REVIEW_PROD_TOKEN=API_TOKEN, ACCESS_REVIEW_NEW_USER_PASSWORD="canary\n",
        )  # fmt: skip

    assert done.code == 2, done.stderr
    assert "ACCESS_REVIEW_NEW_USER_PASSWORD holds a line break" in done.stderr
    assert "canary" not in done.stderr


def test_an_unused_password_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(f'[sources.prod]\nkind = "sisense"\nurl = "{HOST}"\nusername = "svc"\n')
    [source] = settings.load_settings(tmp_path / "c.toml").sources

    found = source.credentials({"ACCESS_REVIEW_PROD_TOKEN": "t", "ACCESS_REVIEW_PROD_PASSWORD": "x\n"})

    assert found.token is not None


@pytest.mark.parametrize(
    ("credentials", "what"),
    [
        (Credentials(None, None, Secret("t\n")), "token"),
        (Credentials(USERNAME, Secret(f"{PASSWORD}\n"), None), "password"),
    ],
)
def test_a_password_gets_the_same_message_as_a_token(
    extracting: Extracting, credentials: Credentials, what: str
) -> None:
    with FakeSisense(accounts(1)) as fake:
        done = extracting(fake, credentials)

    assert isinstance(done.error, ConfigurationError)
    assert f"contains characters that no {what} has" in done.error.message
    assert fake.seen["login"] == 0


def test_the_variables_of_this_machine_do_not_affect_tests() -> None:
    odd = [
        name for name in os.environ if name.lower().endswith("_proxy") or name.startswith(("SSL_CERT", "ACCESS_REV"))
    ]

    assert odd == []


def test_a_redirect_without_a_location_counts_as_a_refusal(extracting: Extracting) -> None:
    with FakeSisense(accounts(1), fault=lambda r, nth: as_json({}, 302) if r == "login" else None) as fake:
        done = extracting(fake)

    assert done.error is not None
    assert done.error.exit_code == 3
