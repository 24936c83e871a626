/*
summary = "One source: how people sign in to it, and when an account is locked after wrong passwords."
reads   = ["graph.sign_on"]
grain   = ["source"]

[columns]
source                  = "varchar: the source's name in the configuration"
is_sso_enabled          = "boolean: single sign-on is on; null if not known, as for the other columns"
sso_type                = "varchar: its kind: saml, jwt, openid and others"
creates_accounts        = "boolean: a first sign-on creates an account"
is_legacy_jwt           = "boolean: the older, less secure form of JSON Web Tokens is accepted"
syncs_groups            = "boolean: groups follow the identity provider at each sign-on"
is_lockout_enabled      = "boolean: an account is locked after failed sign-ins"
max_failed_attempts     = "bigint: failed sign-ins that lock an account"
failed_attempts_minutes = "bigint: minutes in which they are counted"
lockout_minutes         = "bigint: minutes for which the account is locked"
*/
select
    source,
    is_sso_enabled,
    sso_type,
    creates_accounts,
    is_legacy_jwt,
    syncs_groups,
    is_lockout_enabled,
    cast(max_failed_attempts as bigint) as max_failed_attempts,
    cast(failed_attempts_minutes as bigint) as failed_attempts_minutes,
    cast(lockout_minutes as bigint) as lockout_minutes
from graph.sign_on
