"""A browser without JavaScript: it follows links, fills in forms and presses buttons, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx

__all__ = ["Form", "PlainBrowser", "ShownPage"]


@dataclass
class Form:
    """A form of a page: what it sends without a button, its buttons by label, and the values to choose from.

    ``pressed`` is the label of the button that is marked as chosen already.
    """

    method: str
    action: str
    values: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, dict[str, str]] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    pressed: str = ""


@dataclass
class ShownPage:
    """A page as it is shown: its status, its text without markup, its links and its forms."""

    status: int
    path: str
    text: str
    links: dict[str, str]
    forms: list[Form]

    def form(self, action: str, **values: str) -> Form:
        """Return the first form that goes to an address and holds these values."""
        return next(each for each in self.forms if each.action == action and values.items() <= each.values.items())

    def forms_to(self, action: str) -> list[Form]:
        return [each for each in self.forms if each.action == action]


class PlainBrowser:
    """One person's browser, with its cookies. ``clients`` closes what it opens."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.Client(base_url=url, follow_redirects=True, timeout=60)
        self._origin = url

    def __enter__(self) -> PlainBrowser:
        return self

    def __exit__(self, *details: object) -> None:
        self.client.close()

    def open(self, address: str) -> ShownPage:
        """Open an address, also one from a mail."""
        return self._shown(self.client.get(address))

    def press(self, form: Form, button: str | None = None, **values: str) -> ShownPage:
        """Fill in a form and press the button whose label begins like this, by default the only one."""
        labels = [label for label in form.buttons if button is None or label.startswith(button)]
        assert len(labels) == 1, (button, list(form.buttons))
        fields = form.values | values | form.buttons[labels[0]]
        for name, chosen in values.items():
            assert chosen in form.choices.get(name, [chosen]), (name, chosen)
        if form.method == "get":
            return self._shown(self.client.get(form.action, params=fields))
        headers = {"Origin": self._origin, "Sec-Fetch-Site": "same-origin"}
        return self._shown(self.client.post(form.action, data=fields, headers=headers))

    def _shown(self, answer: httpx.Response) -> ShownPage:
        # a page that hides its address sends forms from nowhere
        self._origin = "null" if answer.headers.get("Referrer-Policy") == "no-referrer" else self.url
        assert all(urlsplit(str(step.url)).netloc == urlsplit(self.url).netloc for step in answer.history)
        reader = _Reader()
        reader.feed(answer.text)
        path = urlsplit(str(answer.url))
        for form in reader.forms:
            form.action = urlsplit(urljoin(str(answer.url), form.action)).path
        shown = f"{path.path}?{path.query}" if path.query else path.path
        return ShownPage(answer.status_code, shown, reader.text, reader.links, reader.forms)


class _Reader(HTMLParser):
    """Reads the parts of a page that a person without JavaScript can use."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self._words: list[str] = []
        self._form: Form | None = None
        self._select = ""
        self._labels: list[tuple[list[str], Callable[[str], None]]] = []
        self._unseen = 0

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in given}
        if tag in {"script", "style"}:
            self._unseen += 1
        elif tag == "a" and "href" in values:
            self._label(lambda label: self.links.setdefault(label, values["href"]))
        elif tag == "form":
            self._form = Form(values.get("method", "get").lower(), values.get("action", ""))
            self.forms.append(self._form)
        elif self._form is not None:
            self._control(self._form, tag, values)

    def _control(self, form: Form, tag: str, values: dict[str, str]) -> None:
        name = values.get("name", "")
        if tag == "input" and name:
            kind = values.get("type", "text")
            if kind not in {"checkbox", "radio"} or "checked" in values:
                form.values[name] = values.get("value", "on" if kind == "checkbox" else "")
        elif tag == "select":
            self._select = name
            form.choices[name] = []
        elif tag == "option":
            form.choices[self._select].append(values.get("value", ""))
            if "selected" in values or self._select not in form.values:
                form.values[self._select] = values.get("value", "")
        elif tag == "button" and values.get("type", "submit") == "submit":
            sent = {name: values.get("value", "")} if name else {}
            self._label(
                lambda label: self._button(form, label, sent, is_pressed=values.get("aria-pressed") == "true")
            )

    @staticmethod
    def _button(form: Form, label: str, sent: dict[str, str], *, is_pressed: bool) -> None:
        form.buttons[label] = sent
        if is_pressed:
            form.pressed = label

    def _label(self, take: Callable[[str], None]) -> None:
        self._labels.append(([], take))

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._unseen -= 1
        elif tag == "form":
            self._form = None
        elif tag in {"a", "button"} and self._labels:
            words, take = self._labels.pop()
            take(" ".join(" ".join(words).split()))

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._words.append(data)
            for words, _ in self._labels:
                words.append(data)
