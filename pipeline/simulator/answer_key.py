"""The rules that planted conditions are for: the one place outside ``sql/3_findings`` that names rules."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["PlantedObject", "PlantedRule"]


class PlantedRule(StrEnum):
    """The ids of the rules that the answer key decides on."""

    CONTRACT_EXPIRED = "contract_expired"
    DANGLING_REFERENCE = "dangling_reference"
    DUPLICATE_ACCOUNTS = "duplicate_accounts"
    EDITED_BUILTIN_ROLE = "edited_builtin_role"
    EMPTY_GROUP = "empty_group"
    EXCESSIVE_GROUPS = "excessive_groups"
    EXTERNAL_DOMAIN = "external_domain"
    INACTIVE_WITH_ACCESS = "inactive_with_access"
    LEAVER_ACTIVE = "leaver_active"
    LEAVER_LOGIN_AFTER_END = "leaver_login_after_end"
    LOCAL_ACCOUNT_BESIDE_SSO = "local_account_beside_sso"
    LOGIN_UNKNOWN = "login_unknown"
    MEMBERSHIP_DISAGREEMENT = "membership_disagreement"
    MISSING_EMAIL = "missing_email"
    NEVER_LOGGED_IN = "never_logged_in"
    ORPHANED_ACCOUNT = "orphaned_account"
    OVER_PRIVILEGED_VS_PEERS = "over_privileged_vs_peers"
    PRIVILEGED_THROUGH_GROUP = "privileged_through_group"
    RARE_GROUP_MEMBERSHIP = "rare_group_membership"
    ROSTER_DRIFT = "roster_drift"
    SEVERAL_ACCOUNTS_ONE_PERSON = "several_accounts_one_person"
    SHARED_ACCOUNT = "shared_account"
    SOD_CONFLICT = "sod_conflict"
    STALE_ACCOUNT = "stale_account"
    STALE_INVITATION = "stale_invitation"
    STALE_PRIVILEGED_ACCOUNT = "stale_privileged_account"
    TOO_FEW_ADMINS = "too_few_admins"
    TOO_MANY_ADMINS = "too_many_admins"
    UNCLASSIFIED_ROLE = "unclassified_role"
    UNREVIEWED_SERVICE_ACCOUNT = "unreviewed_service_account"


class PlantedObject(StrEnum):
    """The ids of the rules about objects, which :mod:`pipeline.simulator.objects` plants conditions for."""

    EDIT_ON_SENSITIVE = "edit_on_sensitive"
    MAILED_OUTSIDE = "mailed_outside"
    MODEL_WITHOUT_ROW_RULES = "model_without_row_rules"
    OBJECT_HELD_BY_LEAVER = "object_held_by_leaver"
    ORPHANED_OBJECT = "orphaned_object"
    PUBLIC_DASHBOARD = "public_dashboard"
    ROW_RULE_BYPASSED = "row_rule_bypassed"
    SHARED_OUTSIDE = "shared_outside"
    SHARED_WITH_EVERYONE = "shared_with_everyone"
    WEAK_SIGN_ON = "weak_sign_on"
