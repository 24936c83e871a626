"""What a reviewer looks at: a filter with its place in the list, and the cards arranged for the templates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlencode

from pipeline.reporting import text
from pipeline.reporting.charts import SEVERITIES
from pipeline.review.store import CardFilter, FilterChoices, ItemCard, PersonCard, TargetRole
from pipeline.web.questions import Question, is_account_role, roles_below

__all__ = ["CHOICES", "DECISIONS", "PAGE", "Block", "Card", "Entry", "Listing", "Query", "arrange", "settled"]

#: Decision, its label, and its key. j and k move, so that keep is y: yes, it is still needed.
DECISIONS = (
    ("keep", "Keep", "y"),
    ("remove", "Remove", "x"),
    ("reduce", "Reduce", "r"),
    ("defer", "Defer", "d"),
    ("exception", "Exception", "e"),
)
#: Value of the filter for decisions -> its title. ``any`` shows all items.
CHOICES = (
    ("pending", "To decide"),
    ("any", "All"),
    *((value, label) for value, label, _ in DECISIONS),
)
#: People on one page.
PAGE = 25
_FILTERS = ("risk", "department", "role", "group", "text")
#: The longest text to search for; more is cut.
_LONGEST = 200
_CHANGES = {
    "new": "New since the last review",
    "changed": "Changed since the last review",
    "reappeared": "Back since the last review",
    "unchanged": "Unchanged since the last review",
}


@dataclass(frozen=True, slots=True)
class Query:
    """A filter, and how many people are skipped before the first one shown."""

    risk: str | None = None
    department: str | None = None
    role: str | None = None
    group: str | None = None
    decision: str = "pending"
    text: str | None = None
    skip: int = 0

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Query:
        """Return the query in the parameters of an address; unknown ones are ignored."""
        chosen = {name: values.get(name, "").strip()[:_LONGEST] or None for name in _FILTERS}
        decision = values.get("decision", "")
        skip = values.get("skip", "")
        return cls(
            **chosen,
            decision=decision if decision in dict(CHOICES) else "pending",
            skip=int(skip) if skip.isascii() and skip.isdecimal() and len(skip) < 7 else 0,
        )

    @classmethod
    def read_encoded(cls, encoded: str) -> Query:
        """Return the query that :attr:`encoded` wrote."""
        return cls.read(dict(parse_qsl(encoded[: 10 * _LONGEST])))

    @property
    def encoded(self) -> str:
        """Return the query as parameters of an address, without those that have their default."""
        values = {name: getattr(self, name) for name in _FILTERS}
        values |= {"decision": self.decision if self.decision != "pending" else None, "skip": self.skip or None}
        return urlencode({name: value for name, value in values.items() if value})

    @property
    def url(self) -> str:
        """Return the address of the list."""
        return f"/?{self.encoded}" if self.encoded else "/"

    @property
    def is_filtered(self) -> bool:
        """Return whether something other than the open items is shown."""
        return replace(self, skip=0) != Query()

    def skipping(self, people: int) -> Query:
        """Return the query for another place in the list."""
        return replace(self, skip=max(0, people))

    def to_filter(self) -> CardFilter:
        """Return the filter as the store takes it."""
        chosen = {name: getattr(self, name) for name in _FILTERS}
        return CardFilter(**chosen, decision=None if self.decision == "any" else self.decision)


@dataclass(slots=True)
class Entry:
    """An item, and what a page shows with it. ``next_id`` is the next open item of the page, or empty.

    ``findings`` are those that the card does not show already. ``can_reduce``: a role is known to be lower.
    ``deactivates``: removing the item deactivates the account, which cannot be without a role.
    """

    item: ItemCard
    card_id: str
    facts: tuple[str, ...]
    findings: tuple[str, ...]
    where: str
    settled: str
    is_tied: bool = False
    can_reduce: bool = False
    deactivates: bool = False
    next_id: str = ""
    question: Question | None = None

    @property
    def advice(self) -> str:
        """Return what the reviewer is advised to do, as a sentence that begins with the decision to choose."""
        name = self.item.name
        removing = f"remove {name}: the account is deactivated" if self.deactivates else f"remove {name}"
        remove = f"{removing[0].upper()}{removing[1:]}."
        ask = f"Ask the person whether it is needed. If not, {removing}."
        reduce = f"Reduce {name} to a lower role." if self.can_reduce else ask if self.deactivates else remove
        return {
            "keep": f"Keep {name}.",
            "remove": remove,
            "reduce": reduce,
            "investigate": ask,
        }.get(self.item.recommendation or "", f"Keep {name} if the person still needs it. If not, {removing}.")

    @property
    def asks(self) -> frozenset[str]:
        """Return the decisions that need more than their name, so that the script waits with the next item."""
        explained = [value for value, _, _ in DECISIONS] if self.item.is_high_risk else []
        return frozenset({"reduce", "defer", "exception", *explained})


@dataclass(frozen=True, slots=True)
class Block:
    """Items that stand together: the sides of a conflict, or others."""

    entries: tuple[Entry, ...]
    is_conflict: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A person, and the items in blocks."""

    person: PersonCard
    facts: tuple[str, ...]
    blocks: tuple[Block, ...] = field(default=())

    @property
    def is_done(self) -> bool:
        """Return whether all items have an answer."""
        return all(item.answer for item in self.person.items)

    @property
    def entries(self) -> Iterator[Entry]:
        """Yield the items in the order of the page."""
        for block in self.blocks:
            yield from block.entries


_NO_CHOICES = FilterChoices((), (), ())


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list: its query and cards, how many people match, and the values of the filters."""

    query: Query
    cards: tuple[Card, ...] = ()
    total: int = 0
    choices: FilterChoices = _NO_CHOICES

    @property
    def back(self) -> str:
        """Return the query as the forms carry it."""
        return self.query.encoded

    @property
    def back_url(self) -> str:
        """Return the address of this page of the list."""
        return self.query.url

    @property
    def back_suffix(self) -> str:
        """Return the query as a parameter of another address."""
        return f"?{urlencode({'back': self.back})}" if self.back else ""

    @property
    def filters(self) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        """Return the filters to choose from: name, title and values of each."""
        found = (
            ("risk", "Risk", tuple(SEVERITIES)),
            ("department", "Department", self.choices.departments),
            ("role", "Role", self.choices.roles),
            ("group", "Group", self.choices.groups),
        )
        return tuple(each for each in found if each[2])

    def person_url(self, card_id: str, anchor: str = "", **values: str) -> str:
        """Return the address of one person's page, with an item to scroll to and parameters."""
        parameters = urlencode({**values, **({"back": self.back} if self.back else {})})
        return f"/people/{card_id}" + (f"?{parameters}" if parameters else "") + (f"#i-{anchor}" if anchor else "")

    @property
    def title(self) -> str:
        """Return the heading of the list."""
        what = dict(CHOICES)[self.query.decision].lower()
        people = f"{self.total:,} {'person' if self.total == 1 else 'people'}"
        if self.query.decision == "pending":
            return f"{people} to decide on" + (", as filtered" if self.query.is_filtered else "")
        return people if self.query.decision == "any" else f"{people} with the decision {what}"

    @property
    def shown(self) -> str:
        """Return which people are shown."""
        first = self.query.skip + 1
        return f"{first:,} to {self.query.skip + len(self.cards):,} of {self.total:,}"

    @property
    def previous(self) -> str | None:
        """Return the address of the people before these."""
        return self.query.skipping(self.query.skip - PAGE).url if self.query.skip else None

    @property
    def next(self) -> str | None:
        """Return the address of the people after these."""
        after = self.query.skip + len(self.cards)
        return self.query.skipping(after).url if after < self.total else None


def arrange(people: Sequence[PersonCard], reviewer: str, roles: Sequence[TargetRole] = ()) -> tuple[Card, ...]:
    """Return the cards of a page, for one reviewer; ``roles`` are those that access can be reduced to."""
    cards = tuple(
        Card(person, tuple(_person_facts(person, reviewer)), tuple(_blocks(person, reviewer, roles)))
        for person in people
    )
    following = ""
    for entry in reversed([entry for card in cards for entry in card.entries]):
        entry.next_id = following
        if entry.item.answer is None:
            following = entry.item.item_id
    return cards


def settled(item: ItemCard, reviewer: str) -> str:
    """Return the answer that holds, in words: what, when, how and by whom."""
    answer = item.answer
    if answer is None:
        return ""
    parts = [
        {
            "reduce": f"Reduce to {answer.target_role}",
            "defer": f"Defer until {text.day(answer.defer_until)}",
            "exception": f"Exception until {text.day(answer.expires_on)}, approved by {answer.approver}",
        }.get(answer.decision, answer.decision.capitalize())
    ]
    if answer.reason:
        parts.append(f"“{answer.reason}”")
    if item.decided_at:
        parts.append(text.moment(item.decided_at.replace(second=0, microsecond=0)))
    if item.is_bulk:
        parts.append("with the recommendations")
    if item.method == "file":
        parts.append("from a file")
    if item.decided_by and item.decided_by != reviewer:
        parts.append(f"by {item.decided_by}")
    return " · ".join(parts)


def _person_facts(person: PersonCard, reviewer: str) -> Iterator[str]:
    if person.title or person.department:
        yield ", ".join(filter(None, (person.title, person.department)))
    if person.manager_email and person.manager_email.lower() != reviewer.lower():
        yield f"manager {person.manager_email}"
    if person.email and person.email != person.name:
        yield person.email
    if person.status:
        yield person.status
    if person.last_seen:
        unseen = {"never": "never seen", "not known": "last seen: not known"}
        yield unseen.get(person.last_seen, f"last seen {person.last_seen}")


def _item_facts(item: ItemCard) -> Iterator[str]:
    if item.change in _CHANGES:
        yield _CHANGES[item.change]
    if item.peers:
        yield f"held by {item.peers}"
    if item.prior_decision:
        yield f"last time: {item.prior_decision}"
    if way := _way(item.path):
        yield way
    if item.original_reviewer_email != item.reviewer_email:
        yield f"handed over by {item.original_reviewer_email}"


def _way(path: str | None) -> str:
    """Return how access is held, unless it is held directly: that needs no words."""
    steps = (path or "").split(" > ")
    return f"through {' > '.join(steps[1:-1])}" if len(steps) > 2 else ""


def _blocks(person: PersonCard, reviewer: str, roles: Sequence[TargetRole]) -> Iterator[Block]:
    """Yield the items in their order; the sides of a conflict stand together, at the place of the first of them."""
    has_accounts = len({(item.source, item.account_id) for item in person.items}) > 1
    by_id = {item.item_id: item for item in person.items}

    def entry(item: ItemCard, *, is_tied: bool) -> Entry:
        where = f"{item.source}, {item.user_name}" if has_accounts and item.user_name else ""
        facts = tuple(_item_facts(item))
        findings = tuple(finding for finding in item.findings if finding not in person.findings)
        said = settled(item, reviewer)
        return Entry(
            item, person.card_id, facts, findings, where, said, is_tied=is_tied,
            can_reduce=bool(roles_below(item, roles)), deactivates=is_account_role(item, roles),
        )  # fmt: skip

    loose: list[Entry] = []
    seen: set[str] = set()
    for item in person.items:
        if item.item_id in seen:
            continue
        group = _tied(item, by_id)
        seen |= group.keys()
        if len(group) == 1:
            loose.append(entry(item, is_tied=False))
            continue
        if loose:
            yield Block(tuple(loose))
            loose = []
        names = " and ".join(each.name for each in group.values())
        yield Block(
            tuple(entry(each, is_tied=True) for each in group.values()),
            is_conflict=True,
            text=f"One person should not hold {names} together.",
        )
    if loose:
        yield Block(tuple(loose))


def _tied(item: ItemCard, by_id: Mapping[str, ItemCard]) -> dict[str, ItemCard]:
    """Return an item with all items that conflict with it, directly or through another one, in their order."""
    found = {item.item_id}
    waiting = [item]
    while waiting:
        for other in waiting.pop().conflict_with:
            if other in by_id and other not in found:
                found.add(other)
                waiting.append(by_id[other])
    return {item_id: each for item_id, each in by_id.items() if item_id in found}
