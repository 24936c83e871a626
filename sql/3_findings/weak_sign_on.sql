/*
title       = "Weak sign-on settings"
summary     = "A source where single sign-on creates accounts by itself or accepts the older form of JSON Web Tokens, or where failed sign-ins lock no account."
severity    = "medium"
population  = "select source from graph.object_lists where list = 'sign_on' and state <> 'NOT_READ'"
reads       = ["graph.object_lists", "graph.sign_on"]
grain       = ["source"]
needs       = "sign_on"
remediation = "Let administrators or the identity provider create accounts, turn off the older tokens, and turn on the lockout; or record why a setting is needed."

[controls]
soc2     = ["CC6.1", "CC6.2"]
iso27001 = ["A.5.16", "A.8.5"]
pci      = ["8.3.4"]
nist     = ["AC-2", "AC-7", "IA-2"]
*/
with

settings as (
    select
        lists.source,
        -- Settings of single sign-on have no effect while it is off; what is not known stays so.
        setting.is_sso_enabled and setting.creates_accounts as creates_accounts,
        setting.is_sso_enabled and setting.is_legacy_jwt as accepts_old_tokens,
        not setting.is_lockout_enabled as locks_no_account
    from graph.object_lists as lists
    left join graph.sign_on as setting on setting.source = lists.source
    where lists.list = 'sign_on' and lists.state <> 'NOT_READ'
),

verdicts as (
    select
        *,
        case
            when creates_accounts or accepts_old_tokens or locks_no_account then 'failed'
            when creates_accounts is null or accepts_old_tokens is null or locks_no_account is null then 'unknown'
        end as verdict
    from settings
)

select
    source,
    verdict,
    concat_ws(
        ' ',
        case when creates_accounts then 'The first sign-on of a new user creates an account, and no one approves it.' end,
        case when accepts_old_tokens then 'Single sign-on accepts an older form of JSON Web Tokens, which is less secure.' end,
        case when locks_no_account then 'No account is locked after failed sign-ins, so passwords can be guessed.' end
    ) as detail,
    concat_ws(
        ', ',
        case when creates_accounts then 'accounts created at first sign-on' end,
        case when accepts_old_tokens then 'older JSON Web Tokens accepted' end,
        case when locks_no_account then 'no lockout' end
    ) as observed_value,
    'accounts created on approval, current tokens only, lockout on' as threshold
from verdicts
where verdict is not null

/* example
name = "each weak setting fails; strong settings pass, and settings of single sign-on while it is off"
given."graph.object_lists" = [
  { source = "weak", list = "sign_on", state = "FULL" }, { source = "jit", list = "sign_on", state = "FULL" },
  { source = "strong", list = "sign_on", state = "FULL" }, { source = "no sso", list = "sign_on", state = "FULL" },
  { source = "off", list = "sign_on", state = "NOT_READ" }, { source = "other", list = "seats", state = "FULL" },
]
given."graph.sign_on" = [
  { source = "weak", is_sso_enabled = true, creates_accounts = true, is_legacy_jwt = true, is_lockout_enabled = false },
  { source = "jit", is_sso_enabled = true, creates_accounts = true, is_legacy_jwt = false, is_lockout_enabled = true },
  { source = "strong", is_sso_enabled = true, creates_accounts = false, is_legacy_jwt = false, is_lockout_enabled = true },
  { source = "no sso", is_sso_enabled = false, creates_accounts = true, is_legacy_jwt = true, is_lockout_enabled = true },
]
expect = [
  { source = "weak", verdict = "failed", observed_value = "accounts created at first sign-on, older JSON Web Tokens accepted, no lockout" },
  { source = "jit", verdict = "failed", detail = "The first sign-on of a new user creates an account, and no one approves it." },
]
population = 4
*/
/* example
name = "settings that could not be read are not evaluated, unless a known one is weak"
given."graph.object_lists" = [
  { source = "refused", list = "sign_on", state = "NOT_AVAILABLE" }, { source = "half", list = "sign_on", state = "PARTIAL" },
  { source = "half weak", list = "sign_on", state = "PARTIAL" }, { source = "maybe", list = "sign_on", state = "FULL" },
]
given."graph.sign_on" = [
  { source = "half", is_lockout_enabled = true },
  { source = "half weak", is_lockout_enabled = false },
  { source = "maybe", is_sso_enabled = true, creates_accounts = false, is_lockout_enabled = true },
]
expect = [
  { source = "refused", verdict = "unknown" }, { source = "half", verdict = "unknown" }, { source = "maybe", verdict = "unknown" },
  { source = "half weak", verdict = "failed", detail = "No account is locked after failed sign-ins, so passwords can be guessed." },
]
population = 4
*/
