"""Finds rules by their titles, so that a test depends on what a rule is about and not on its id."""

from __future__ import annotations

from pipeline import resources
from pipeline.warehouse.model_file import load_folder

__all__ = ["rule"]

_IDS = {model.title: model.name for model in load_folder(resources.sql(), ("3_findings",))}


def rule(title: str) -> str:
    """Return the id of the rule with this title."""
    return _IDS[title]
