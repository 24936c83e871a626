"""Sections of reviews and of licence prices: their defaults, and errors that name the key and a correction."""

from pathlib import Path

import pytest

from pipeline.errors import ConfigurationError, MissingSecretError
from pipeline.settings import Settings, load_settings, mail_password

SERVER = '[mail]\nfrom = "ar@example.com"\n'


def read(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "access-review.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def test_without_the_sections_nothing_is_sent_or_due(tmp_path: Path) -> None:
    settings = read(tmp_path, "")

    assert (settings.web.base_url, settings.web.owners, settings.web.link_days) == (None, (), 14)
    assert settings.web.oidc is None
    assert settings.mail.smtp_url is None
    assert settings.cadence.months() == {}
    assert settings.licence_price.by_class() == {}


def test_the_sections_are_read(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        '[web]\nbase_url = "https://reviews.example.com/"\nowners = ["CISO@example.com", "ciso@example.com"]\n'
        '[web.oidc]\nissuer = "https://id.example.com/tenant/"\nclient_id = "ar"\n'
        '[mail]\nfrom = "Access reviews <ar@example.com>"\nsmtp_url = "smtps://mail.example.com"\n'
        'ca_bundle = "ca.pem"\n'
        '[cadence]\nprivileged = "monthly"\nall = "yearly"\n'
        '[licence_price]\nadmin = 1200\nviewer = 99.5\ncurrency = "EUR"\n',
    )

    assert settings.web.base_url == "https://reviews.example.com"
    assert settings.web.owners == ("ciso@example.com",)
    assert settings.web.oidc is not None
    assert settings.web.oidc.issuer == "https://id.example.com/tenant/"  # compared to the letter with the token's
    assert settings.mail.sender == "Access reviews <ar@example.com>"
    assert (settings.mail.host, settings.mail.port, settings.mail.is_implicit_tls) == ("mail.example.com", 465, True)
    assert settings.mail.ca_bundle == tmp_path / "ca.pem"
    assert settings.cadence.months() == {"privileged": 1, "all": 12}
    assert settings.licence_price.by_class() == {"admin": 1200, "viewer": 99.5}
    assert settings.licence_price.currency == "EUR"


@pytest.mark.parametrize(
    ("keys", "is_required"),
    [
        ('smtp_url = "smtp://mail.example.com"', True),
        ('smtp_url = "smtp://mail.example.com"\nstarttls = false', False),
        ('smtp_url = "smtp://localhost"', False),
        ('smtp_url = "smtp://[::1]:2525"', False),
        ('smtp_url = "smtp://127.0.0.1"\nstarttls = true', True),
        ('smtp_url = "smtps://mail.example.com"', False),  # encrypted from the start
    ],
)
def test_starttls_is_required_of_other_machines(tmp_path: Path, keys: str, is_required: bool) -> None:
    assert read(tmp_path, SERVER + keys).mail.requires_starttls is is_required


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        ('[web]\nbaseurl = "x"', "web.baseurl", "'base_url'"),
        ('[web]\nbase_url = "reviews.example.com"', "web.base_url", "https://"),
        ('[web]\nbase_url = "http://reviews.example.com"', "web.base_url", "https"),
        ('[web]\nbase_url = "https://reviews.example.com/app"', "web.base_url", "https://reviews"),
        ('[web]\nbase_url = "https://a:hunter2@example.com"', "web.base_url", "environment"),
        ('[web]\nbase_url = "https://example.com:hunter2"', "web.base_url", "https://"),
        ('[web]\nowners = "ciso@example.com"', "web.owners", "["),
        ('[web]\nowners = ["ciso"]', "web.owners", "ann@example.com"),
        ("[web]\nlink_days = 0", "web.link_days", "14"),
        ("[web]\nlink_days = 366", "web.link_days", "14"),
        ('[web]\noidc = "x"', "web.oidc", "[web.oidc]"),
        ('[web.oidc]\nissuer = "https://id.example.com"', "web.oidc.client_id", "client_id"),
        ('[web.oidc]\nissuer = "http://id.example.com"\nclient_id = "x"', "web.oidc.issuer", "https"),
        ('[web.oidc]\nissuer = "https://id.example.com"\nclient_id = " "', "web.oidc.client_id", "provider"),
        ('[web.oidc]\nclient_secret = "hunter2"', "web.oidc.client_secret", "set ACCESS_REVIEW_OIDC_SECRET"),
        ('[mail]\nsender = "ar@example.com"', "mail.sender", "from"),
        ('[mail]\npassword = "hunter2"', "mail.password", "from"),
        ('[mail]\nfrom = "ar"', "mail.from", "ann@example.com"),
        ('[mail]\nfrom = "A\\r\\nBcc: x <ar@example.com>"', "mail.from", "remove"),
        ('[mail]\nsmtp_url = "smtp://mail.example.com"', "mail.from", "from"),
        ('[mail]\nusername = "ar"', "mail.username", "smtp_url"),
        (SERVER + 'smtp_url = "mail.example.com"', "mail.smtp_url", "smtps://"),
        (SERVER + 'smtp_url = "smtp://u:hunter2@mail.example.com"', "mail.smtp_url", "environment"),
        (SERVER + 'smtp_url = "smtp://mail.example.com/hunter2"', "mail.smtp_url", "smtps://"),
        (SERVER + 'smtp_url = "smtps://mail.example.com"\nstarttls = false', "mail.starttls", "leave"),
        (
            SERVER + 'smtp_url = "smtp://mail.example.com"\nstarttls = false\nusername = "ar"',
            "mail.starttls",
            "smtps://",
        ),
        ('[cadence]\nprivilegd = "monthly"', "cadence.privilegd", "'privileged'"),
        ('[cadence]\nall = "weekly"', "cadence.all", '"quarterly"'),
        ("[licence_price]\nadmn = 1", "licence_price.admn", "'admin'"),
        ("[licence_price]\nadmin = 1", "licence_price.currency", "EUR"),
        ('[licence_price]\nadmin = -1\ncurrency = "EUR"', "licence_price.admin", "1200"),
        ('[licence_price]\nviewer = nan\ncurrency = "EUR"', "licence_price.viewer", "1200"),
        ('[licence_price]\nadmin = "1200 EUR"\ncurrency = "EUR"', "licence_price.admin", "correct"),
        ('[licence_price]\nadmin = 1\ncurrency = "euros a year"', "licence_price.currency", "USD"),
    ],
)
def test_an_error_names_the_file_the_key_and_a_correction(tmp_path: Path, text: str, key: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)

    assert caught.value.where == f"{tmp_path / 'access-review.toml'}, {key}"
    assert hint in caught.value.hint
    assert "hunter2" not in str(caught.value) + caught.value.hint
    assert caught.value.__cause__ is None or "hunter2" not in str(caught.value.__cause__)


def test_the_password_comes_from_the_environment_only() -> None:
    assert mail_password({"ACCESS_REVIEW_SMTP_PASSWORD": "hunter2"}).reveal() == "hunter2"
    with pytest.raises(MissingSecretError, match="mail server") as caught:
        mail_password({})

    assert "ACCESS_REVIEW_SMTP_PASSWORD" in caught.value.hint
