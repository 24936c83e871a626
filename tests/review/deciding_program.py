"""Decides without end on the items of a store, and says each decision after it was confirmed; killed by its test."""

import sys
from datetime import UTC, datetime
from itertools import count, cycle
from pathlib import Path

from pipeline.review.answers import Answer
from pipeline.review.store import Actor, ReviewStore

path, reviewer = Path(sys.argv[1]), sys.argv[2]
with ReviewStore.open(path) as store:
    items = [item.item_id for card in store.cards(reviewer)[0] for item in card.items]
    for number, item in zip(count(), cycle(items), strict=False):
        answer = Answer(("keep", "remove")[number % 2], f"{reviewer} {number}")
        decided = store.decide(Actor(reviewer, "link", "127.0.0.1"), item, answer, now=datetime.now(UTC))
        sys.stdout.write(f"{decided.decision_id} {item} {answer.reason}\n")
        sys.stdout.flush()
