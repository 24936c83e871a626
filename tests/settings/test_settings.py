"""The configuration: errors name the file and the key, and a secret is never shown."""

import pprint
from pathlib import Path
from typing import Any

import pytest

from pipeline import Project
from pipeline.errors import ConfigurationError, MissingSecretError
from pipeline.settings import Credentials, Secret, Settings, SourceSettings, load_settings
from tests.rules import rule

STALE_ACCOUNT = rule("Stale account")

PROD = '[sources.prod]\nkind = "sisense"\nurl = "https://bi.example.com"\n'
OKTA = '[sources.idp]\nkind = "okta"\nurl = "https://example.okta.com"\n'


def read(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "access-review.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def source(tmp_path: Path, more: str = 'username = "svc"', name: str = "prod") -> SourceSettings:
    return read(tmp_path, f"{PROD.replace('prod', name)}{more}\n").sources[0]


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("[organisation]", "organisation", "'organization'"),
        ('[organization]\nemail_domain = ["x.test"]', "organization.email_domain", "'email_domains'"),
        (PROD + "page_sizes = 1", "sources.prod.page_sizes", "'page_size'"),
        ('sha256 = "x"', "sha256", "the keys are"),
        ('[warehouse]\ndatabse = "x"', "warehouse.databse", "'database'"),
        ("[roster]", "roster.path", "path"),
        ('[roster]\npath = "p.csv"\npreset = "sap"', "roster.preset", '"workday"'),
        ('[roster]\npath = "p.csv"\n[roster.columns]\nmail = "Work Email"', "roster.columns.mail", "'email'"),
        ('[roster]\npath = "p.csv"\n[roster.columns]\nemail = ["A"]', "roster.columns.email", "Work Email"),
        ('[roster]\npath = "p.csv"\ncolumns = "email"', "roster.columns", "[roster.columns]"),
        ('[roster]\nsource = "idp"\npreset = "okta"', "roster.preset", "'path'"),
        ('[roster]\nsource = "idp"', "roster.source", "there are none"),
        (PROD + 'application = "0oa"', "sources.prod.application", "'kind'"),
        (OKTA + 'tenant = "t"', "sources.idp.tenant", "'kind'"),
        (OKTA + 'application = "a/b"', "sources.idp.application", "id"),
        ('[sources.idp]\nkind = "entra"\nurl = "https://x.test"\nclient_id = "c"', "sources.idp.tenant", "tenant"),
        ("[policy]", "policy.directory", "directory"),
        ('[policy]\ndefault_owner = "the CISO"', "policy.default_owner", "ann@example.com"),
        ("[due_days]\nhigh = -1", "due_days.high", "default"),
        ("[due_days]\nlow = 4000", "due_days.low", "default"),
        ("[due_days]\nhigh = 7.5", "due_days.high", "correct"),
        ("[due_days]\ninfo = 7", "due_days.info", "the keys are"),
        ('roster = "people.csv"', "roster", "[roster]"),
        (f"[rules]\n{STALE_ACCOUNT} = 60", f"rules.{STALE_ACCOUNT}", f"[rules.{STALE_ACCOUNT}]"),
        ('[sources.prod]\nkind = "sisense"', "sources.prod.url", "url"),
        ('[sources.prod]\nurl = "https://x.test"', "sources.prod.kind", "kind"),
        ('[sources.prod]\nkind = "tableau"\nurl = "https://x.test"', "sources.prod.kind", '"sisense"'),
        ('[sources.hr]\nkind = "file"\npath = "hr"', "sources.hr.kind", '"files"'),
        (PROD + 'api = "v2"', "sources.prod.api", '"v0.9"'),
        (PROD + 'page_size = "500"', "sources.prod.page_size", "correct"),
        (PROD + "page_size = true", "sources.prod.page_size", "correct"),
        (PROD + "page_size = 0", "sources.prod.page_size", "default"),
        (PROD + "concurrency = -1", "sources.prod.concurrency", "default"),
        (PROD + "timeout_seconds = nan", "sources.prod.timeout_seconds", "default"),
        (PROD + "give_up_after_seconds = inf", "sources.prod.give_up_after_seconds", "default"),
        (PROD + 'verify_tls = "no"', "sources.prod.verify_tls", "correct"),
        (PROD + "ca_bundle = true", "sources.prod.ca_bundle", "correct"),
        (PROD + 'ca_bundle = "~nobody-of-that-name/ca.pem"', "sources.prod.ca_bundle", "in full"),
        ('[organization]\nemail_domains = "example.com"', "organization.email_domains", "["),
        ("[organization]\nemail_domains = [1]", "organization.email_domains", "["),
        (PROD.replace("prod", '"Prod One"'), "sources.Prod One", "a-z"),
        (PROD.replace("https://", "ftp://"), "sources.prod.url", "https://"),
        (PROD.replace("https://bi.example.com", "bi.example.com"), "sources.prod.url", "https://"),
        (PROD.replace(".com", ".com?tenant=1"), "sources.prod.url", "https://"),
        (PROD.replace(".com", ".com:99999"), "sources.prod.url", "https://"),
        (PROD + 'password = "hunter2"', "sources.prod.password", "set ACCESS_REVIEW_PROD_PASSWORD"),
        (OKTA + 'client_secret = "hunter2"', "idp.client_secret", "environment, never from this file"),
        ('[mail]\nsmtp_password = "hunter2"', "mail.smtp_password", "set ACCESS_REVIEW_SMTP_PASSWORD"),
        ('[policy]\ndefault_owner = "=cmd@example.com"', "policy.default_owner", "ann@example.com"),
        ("[due_days]\nmedium = 3", "due_days.high", "rise from critical to low"),
        ("name = ", "access-review.toml", "quotes"),
        ("[warehouse]\ndatabase = 'who has access?/x.duckdb'", "warehouse.database", "rename"),
        ("[warehouse]\ndatabase = 'w?.duckdb'", "warehouse.database", "rename"),
        ("[warehouse]\ndatabase = 'a\\b.duckdb'", "warehouse.database", "rename"),
        ('[warehouse]\ndatabase = "a\\u0000b.duckdb"', "warehouse.database", "without it"),
    ],
)
def test_an_error_names_the_file_the_key_and_a_correction(tmp_path: Path, text: str, place: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)

    assert str(tmp_path / "access-review.toml") in caught.value.where
    assert place in caught.value.where
    assert hint in caught.value.hint
    assert "hunter2" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize(
    "address", ["svc:hunter2@x.test", "svc:hun/ter2@x.test", "hunter2@x.test", "svc:hunter2?@x.test"]
)
def test_credentials_in_a_url_are_rejected_and_not_repeated(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, f'[sources.prod]\nkind = "sisense"\nurl = "https://{address}"')

    shown = str(caught.value) + caught.value.hint
    assert caught.value.where.endswith("sources.prod.url")
    assert "hun" not in shown
    assert caught.value.__cause__ is None


def test_two_sources_that_share_a_variable_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'a-b' and 'a_b' share the variables ACCESS_REVIEW_A_B_"):
        read(tmp_path, PROD.replace("prod", "a-b") + PROD.replace("prod", "a_b"))


def test_relative_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "x.toml").write_text(
        '[warehouse]\ndatabase = "db/x.duckdb"\n[roster]\npath = "../people.csv"\n'
        '[policy]\ndirectory = "/etc/policy"\n' + PROD + 'ca_bundle = "ca.pem"\n'
    )
    monkeypatch.chdir(tmp_path)

    settings = load_settings(Path("conf/x.toml"))

    assert settings.warehouse.database == tmp_path / "conf" / "db" / "x.duckdb"
    assert settings.reports.directory == tmp_path / "conf" / "out"
    assert settings.roster is not None
    assert settings.roster.path.resolve() == tmp_path / "people.csv"
    assert settings.policy is not None
    assert settings.policy.directory == Path("/etc/policy")
    assert settings.sources[0].ca_bundle == tmp_path / "conf" / "ca.pem"


def test_missing_keys_have_their_documented_defaults(tmp_path: Path) -> None:
    found = source(tmp_path, "")

    assert (found.api, found.page_size, found.concurrency, found.verify_tls) == ("auto", 500, 4, True)
    assert (found.timeout_seconds, found.max_attempts, found.give_up_after_seconds) == (60, 6, 300)


def test_a_file_saved_by_a_windows_editor_can_be_read(tmp_path: Path) -> None:
    settings = read(tmp_path, "\ufeff" + PROD.replace("\n", "\r\n").replace(".com", ".com/"))

    assert settings.source("prod").url == "https://bi.example.com"


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir, lambda path: path.write_bytes(b"\xe9 = 1")])
def test_a_file_that_cannot_be_read_is_a_configuration_error(tmp_path: Path, make: object) -> None:
    path = tmp_path / "access-review.toml"
    make(path)  # type: ignore[operator]

    with pytest.raises(ConfigurationError) as caught:
        load_settings(path)

    assert caught.value.where == str(path)
    assert caught.value.exit_code == 2


def test_the_error_of_an_unknown_source_names_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, PROD).source("prd")

    assert caught.value.hint == "did you mean 'prod'?"


@pytest.mark.parametrize(
    ("environment", "password", "token"),
    [
        ({"ACCESS_REVIEW_EU_PROD_PASSWORD": "hunter2"}, "hunter2", None),
        ({"ACCESS_REVIEW_EU_PROD_TOKEN": "t0ken"}, None, "t0ken"),
        ({"ACCESS_REVIEW_EU_PROD_TOKEN": "", "ACCESS_REVIEW_EU_PROD_PASSWORD": "hunter2"}, "hunter2", None),
        ({"ACCESS_REVIEW_EU_PROD_PASSWORD_FILE": "secret"}, " from a file ", None),
        ({"ACCESS_REVIEW_EU_PROD_TOKEN_FILE": "secret"}, None, " from a file "),
        (
            {"ACCESS_REVIEW_EU_PROD_TOKEN": "t0ken", "ACCESS_REVIEW_EU_PROD_TOKEN_FILE": "/does/not/exist"},
            None,
            "t0ken",
        ),
    ],
)
def test_secrets_come_from_the_environment_or_a_file_that_it_names(
    tmp_path: Path, environment: dict[str, str], password: str | None, token: str | None
) -> None:
    (tmp_path / "secret").write_text(" from a file \r\n", encoding="utf-8-sig")
    given = {key: str(tmp_path / value) if value == "secret" else value for key, value in environment.items()}

    found = source(tmp_path, name="eu-prod").credentials(given)

    assert (found.password and found.password.reveal(), found.token and found.token.reveal()) == (password, token)


@pytest.mark.parametrize(
    ("more", "environment", "shown"),
    [
        ('username = "svc"', {}, "ACCESS_REVIEW_PROD_PASSWORD"),
        ("", {}, "ACCESS_REVIEW_PROD_TOKEN"),
        ("", {"ACCESS_REVIEW_PROD_PASSWORD": "hunter2"}, "'username'"),
        ("", {"ACCESS_REVIEW_PROD_TOKEN_FILE": "/does/not/exist"}, "ACCESS_REVIEW_PROD_TOKEN_FILE"),
        ("", {"ACCESS_REVIEW_PROD_TOKEN_FILE": "/dev/null"}, "ACCESS_REVIEW_PROD_TOKEN_FILE"),
    ],
)
def test_a_missing_secret_names_the_variable(
    tmp_path: Path, more: str, environment: dict[str, str], shown: str
) -> None:
    with pytest.raises(MissingSecretError) as caught:
        source(tmp_path, more).credentials(environment)

    text = str(caught.value) + caught.value.hint
    assert shown in text
    assert "hunter2" not in text


def test_a_secret_is_never_shown() -> None:
    secret = Secret("hunter2")
    credentials = Credentials("svc", secret, secret)

    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>9}", repr(credentials), pprint.pformat(credentials)]

    assert not [text for text in shown if "hunter2" in text]
    assert secret.reveal() == "hunter2"


@pytest.mark.parametrize(
    ("url", "token", "secrets"),
    [
        ("http://bi.example.com", None, ["the password"]),
        ("http://bi.example.com", Secret("t"), ["the API token"]),
        ("https://bi.example.com", None, []),
        ("http://localhost:8081", None, []),
        ("http://127.0.0.9", Secret("t"), []),
        ("http://[::1]:80", None, []),
        ("http://127.example.com", None, ["the password"]),
    ],
)
def test_a_secret_over_plain_http_to_another_machine_gives_a_warning(
    url: str, token: Secret | None, secrets: list[str]
) -> None:
    found = SourceSettings(name="prod", kind="sisense", url=url)

    assert found.warns_of_plain_http(Credentials("svc", Secret("p"), token)) == [
        f"{secret} of 'prod' travels unencrypted: {url} is plain http" for secret in secrets
    ]


@pytest.mark.parametrize(
    ("kind", "urls", "credentials", "secrets"),
    [
        ("okta", {"url": "http://a.test"}, Credentials(None, None, Secret("t")), ["the API token"]),
        ("okta", {"url": "http://a.test"}, Credentials("c", None, None, Secret("k")), ["the access token"]),
        ("entra", {"url": "https://a.test"}, Credentials("c", Secret("s"), None), []),
        ("entra", {"url": "https://a.test", "authority": "http://b.test"}, Credentials("c", Secret("s"), None),
         ["the client secret"]),
        ("scim", {"url": "http://a.test"}, Credentials(None, None, Secret("t")), ["the SCIM token"]),
        ("sisense", {"url": "https://a.test", "scim_url": "http://b.test"}, Credentials(None, None, Secret("t")),
         ["the SCIM token"]),
    ],
)  # fmt: skip
def test_every_secret_of_a_source_is_looked_at(
    kind: Any, urls: dict[str, str], credentials: Credentials, secrets: list[str]
) -> None:
    warnings = SourceSettings(name="idp", kind=kind, **urls).warns_of_plain_http(credentials)  # type: ignore[arg-type]

    assert [warning.partition(" of 'idp'")[0] for warning in warnings] == secrets


def test_check_says_that_a_token_would_travel_unencrypted(tmp_path: Path) -> None:
    configuration = '[sources.idp]\nkind = "scim"\nurl = "http://no-such-host.invalid/scim"\nmax_attempts = 1\n'
    checked = Project(read(tmp_path, configuration), {"ACCESS_REVIEW_IDP_TOKEN": "t"}).check()

    assert ("idp: transport", "warning") in [(item.name, item.result) for item in checked.items]


ENTRA = '[sources.idp]\nkind = "entra"\nurl = "https://graph.microsoft.com"\ntenant = "t"\nclient_id = "c"\n'
PEM = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"


def test_a_directory_asks_for_its_own_secret_and_reads_a_key_of_several_lines(tmp_path: Path) -> None:
    token = read(tmp_path, OKTA).sources[0]
    client = read(tmp_path, OKTA + 'client_id = "0oa1"\n').sources[0]
    entra = read(tmp_path, ENTRA).sources[0]
    (tmp_path / "key.pem").write_text(PEM + "\n", encoding="utf-8")
    folded = PEM.replace("\n", "\\n")
    given = [
        (token, {"ACCESS_REVIEW_IDP_TOKEN": "00t"}, Credentials(None, None, Secret("00t"))),
        (client, {"ACCESS_REVIEW_IDP_PRIVATE_KEY": PEM}, Credentials("0oa1", None, None, Secret(PEM))),
        (client, {"ACCESS_REVIEW_IDP_PRIVATE_KEY": folded}, Credentials("0oa1", None, None, Secret(PEM))),
        (
            client,
            {"ACCESS_REVIEW_IDP_PRIVATE_KEY_FILE": str(tmp_path / "key.pem")},
            Credentials("0oa1", None, None, Secret(PEM)),
        ),
        (entra, {"ACCESS_REVIEW_IDP_CLIENT_SECRET": "s"}, Credentials("c", Secret("s"), None)),
    ]

    for source, environment, expected in given:
        assert source.credentials(environment) == expected
    for source, wanted in ((token, "_TOKEN"), (client, "_PRIVATE_KEY"), (entra, "_CLIENT_SECRET")):
        with pytest.raises(MissingSecretError) as raised:
            source.credentials({})
        assert f"ACCESS_REVIEW_IDP{wanted}_FILE" in str(raised.value.hint)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ACCESS_REVIEW_IDP_PRIVATE_KEY": "canary"}, "not a private key in PEM form"),
        ({"ACCESS_REVIEW_IDP_PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----\ncanary"}, "is cut off"),
        ({"ACCESS_REVIEW_IDP_TOKEN": "canary"}, "remove 'client_id' to read with ACCESS_REVIEW_IDP_TOKEN"),
    ],
)
def test_a_client_without_a_usable_key_is_refused_without_showing_it(
    tmp_path: Path, given: dict[str, str], said: str
) -> None:
    client = read(tmp_path, OKTA + 'client_id = "0oa1"\n').sources[0]

    with pytest.raises(ConfigurationError) as raised:
        client.credentials(given)

    assert said in f"{raised.value} {raised.value.hint}"
    assert "canary" not in f"{raised.value} {raised.value.hint}"


def test_a_directory_may_be_the_roster_and_asks_for_the_largest_pages(tmp_path: Path) -> None:
    settings = read(tmp_path, ENTRA + '[roster]\nsource = "idp"\n')

    assert settings.roster is not None
    assert settings.roster.source == "idp"
    assert settings.sources[0].page_size == 1000
    assert settings.sources[0].authority == "https://login.microsoftonline.com"
