"""The file in which the reviewers of one campaign decide: a SQLite database beside the campaign's packets."""

from pipeline.review.store.cards import CampaignFacts, CardFilter, CardProgress, ItemCard, PersonCard, TargetRole

__all__ = ["CampaignFacts", "CardFilter", "CardProgress", "ItemCard", "PersonCard", "TargetRole"]
