"""A real browser that is signed in, and another site that it visits. ``localhost`` is another site than 127.0.0.1."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from pipeline.settings import OidcSettings, WebSettings
from pipeline.web.entrance import SECRET
from tests.fakes.http import HttpServer, Reply, Request
from tests.web.attacked import REVIEWER, AttackedPage
from tests.web.provider import ProviderElsewhere


@pytest.fixture
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AttackedPage]:
    with AttackedPage(tmp_path_factory.mktemp("page")) as page:
        yield page


@pytest.fixture
def signed_in(page: AttackedPage, chromium: webdriver.Chrome) -> webdriver.Chrome:
    """A browser in which a reviewer has opened the link in their mail and pressed its button."""
    chromium.delete_all_cookies()
    chromium.get(f"{page.url}/link/{page.link()}")
    chromium.find_element(By.CSS_SELECTOR, "main form button").click()
    WebDriverWait(chromium, 10).until(lambda browser: browser.current_url == page.url + "/")
    return chromium


def attack(form: dict[str, str], action: str) -> str:
    """Return a page that sends a form to ours as soon as it is opened."""
    fields = "".join(f'<input name="{name}" value="{html.escape(value)}">' for name, value in form.items())
    return f'<form method="post" action="{action}">{fields}</form><script>document.forms[0].submit()</script>'


def test_a_link_from_a_mail_signs_in(page: AttackedPage, signed_in: webdriver.Chrome) -> None:
    assert signed_in.execute_script("return document.cookie") == ""
    assert "link" not in signed_in.current_url
    signed_in.back()
    assert page.refusals() in ([], ["link"])


def test_a_form_on_another_site_changes_nothing(page: AttackedPage, signed_in: webdriver.Chrome) -> None:
    card_id, item_id = page.item(REVIEWER)
    token = signed_in.find_element(By.NAME, "csrf").get_attribute("value") or ""
    form = {
        "card_id": card_id,
        "item_id": item_id,
        "decision": "remove",
        "reason": "x",
        "answered": "1",
        "csrf": token,
    }
    before = page.contents()

    def evil(request: Request) -> Reply:
        return Reply(body=attack(form, f"{page.url}/decide").encode(), media_type="text/html")

    with HttpServer(evil) as site:
        signed_in.get(f"http://localhost:{site.port}/")
        WebDriverWait(signed_in, 10).until(lambda browser: browser.current_url.startswith(page.url))
        assert "This form was not sent from our page" in signed_in.page_source
        assert (page.contents(), page.refusals()) == (before, ["cross_site"])

        # nor from another port of the same host, with which cookies are shared
        signed_in.get(f"http://127.0.0.1:{site.port}/")
        WebDriverWait(signed_in, 10).until(lambda browser: browser.current_url.startswith(page.url))
        assert (page.contents(), page.refusals()) == (before, ["cross_site", "cross_site"])

    # the form of our own page, with the same fields, is accepted
    signed_in.get(page.url + "/")
    signed_in.execute_script(
        "const form = document.createElement('form'); form.method = 'post'; form.action = '/decide';"
        "for (const [name, value] of Object.entries(JSON.parse(arguments[0]))) {"
        " const field = document.createElement('input'); field.name = name; field.value = value; form.append(field) }"
        "document.body.append(form); form.submit()",
        json.dumps(form),
    )
    WebDriverWait(signed_in, 10).until(lambda _: page.contents()["decisions"] != before["decisions"])


def test_a_browser_comes_back_from_a_provider_on_another_site(
    chromium: webdriver.Chrome, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Browsers send no Strict cookie on the way back, so that this needs the ones that we set."""
    with ProviderElsewhere() as provider:
        issuer = provider.issuer.replace("127.0.0.1", "localhost")
        web = WebSettings(oidc=OidcSettings(issuer=issuer, client_id="access-review"))
        with AttackedPage(tmp_path_factory.mktemp("page"), web, environment={SECRET: "secret"}) as page:
            chromium.delete_all_cookies()
            chromium.get(page.url + "/")
            assert chromium.current_url == page.url + "/sign-in"
            chromium.find_element(By.LINK_TEXT, "Sign in").click()
            WebDriverWait(chromium, 10).until(lambda browser: browser.current_url.startswith(issuer))
            chromium.find_element(By.NAME, "sub").send_keys("ann")
            chromium.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
            WebDriverWait(chromium, 10).until(lambda browser: browser.current_url == page.url + "/")
            assert REVIEWER in chromium.page_source
            assert page.refusals() == []


def test_our_page_shows_in_no_frame_of_another_site(page: AttackedPage, signed_in: webdriver.Chrome) -> None:
    body = f'<iframe src="{page.url}/"></iframe>'.encode()
    with HttpServer(lambda request: Reply(body=body, media_type="text/html")) as site:
        signed_in.get_log("browser")
        signed_in.get(f"http://localhost:{site.port}/")
        refused = WebDriverWait(signed_in, 10).until(
            lambda browser: [e for e in browser.get_log("browser") if "frame" in e["message"].lower()]
        )
    assert "frame-ancestors" in refused[0]["message"] or "X-Frame-Options" in refused[0]["message"]
