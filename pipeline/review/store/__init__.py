"""The file in which the reviewers of one campaign decide: a SQLite database beside the campaign's packets."""

from pipeline.review.store.cards import (
    CampaignFacts,
    CardFilter,
    CardProgress,
    ItemCard,
    LastStep,
    PersonCard,
    TargetRole,
)
from pipeline.review.store.deciding import (
    Actor,
    AnswerRefused,
    CampaignClosed,
    NothingToAccept,
    NothingToUndo,
    NotYourItem,
    StoredDecision,
    StoreRefusal,
    file_decision,
)
from pipeline.review.store.handing_over import LoggedMail, ReassignmentRefused
from pipeline.review.store.links import Link, LinkRefusedError
from pipeline.review.store.reading import FilterChoices, LoggedDecision
from pipeline.review.store.refusals import LoggedRefusal
from pipeline.review.store.sessions import NewSession, Visitor
from pipeline.review.store.store import ReviewStore

__all__ = [
    "Actor",
    "AnswerRefused",
    "CampaignClosed",
    "CampaignFacts",
    "CardFilter",
    "CardProgress",
    "FilterChoices",
    "ItemCard",
    "LastStep",
    "Link",
    "LinkRefusedError",
    "LoggedDecision",
    "LoggedMail",
    "LoggedRefusal",
    "NewSession",
    "NotYourItem",
    "NothingToAccept",
    "NothingToUndo",
    "PersonCard",
    "ReassignmentRefused",
    "ReviewStore",
    "StoreRefusal",
    "StoredDecision",
    "TargetRole",
    "Visitor",
    "file_decision",
]
