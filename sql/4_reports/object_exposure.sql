/*
summary = "One dashboard or data model, and who reaches it: by link, as everyone, through groups, directly and by role."
reads   = [
    "graph.objects", "graph.object_grants", "graph.accounts", "graph.memberships", "policy.email_domains",
    "findings.register",
]
grain   = ["source", "object_type", "object_id"]

[columns]
source             = "varchar: the source's name in the configuration"
object_type        = "varchar: dashboard or model"
object_id          = "varchar: the object's id"
object_name        = "varchar: its title"
owner_email        = "varchar: e-mail address of its owner in the source"
sensitivity        = "varchar: its label in objects.csv"
is_sensitive       = "boolean: the label means sensitive data"
is_public          = "boolean: anyone with the link opens it, without an account; null if not known"
has_shares         = "boolean: whether it is known with whom it is shared"
is_for_everyone    = "boolean: it is shared with the built-in group of all accounts"
invitations        = "bigint: pending invitations to addresses that are not accounts yet"
accounts           = "bigint: accounts that it is shared with directly, its owner among them"
groups             = "bigint: groups that it is shared with"
findings           = "bigint: open findings on the object"
accounts_at_most   = "bigint: active accounts that reach it, where an account that several grants reach counts once for each"
accounts_reached   = "bigint: active accounts that reach it, each counted once; null if accounts_at_most keeps it out of the most exposed"
privileged_reached = "bigint: privileged ones among them"
external_reached   = "bigint: those with an address outside the organization; null if its domains are not known"
position           = "bigint: place among all objects, the most exposed first, from 1"
sensitive_position     = "bigint: place among the sensitive ones; null if it is not sensitive"

[params]
candidates = 36
*/
with

active_accounts as (
    select
        account.source, account.account_id, account.role_id, account.privileged,
        case
            when account.email_domain is not null and exists (select 1 from policy.email_domains)
                then inside.email_domain is null
        end as is_external
    from graph.accounts as account
    left join policy.email_domains as inside on inside.email_domain = account.email_domain
    where account.status = 'active'
),

active_counts as (
    select
        source, count(*) as accounts, count(*) filter (where privileged) as privileged,
        case when exists (select 1 from policy.email_domains) then count(*) filter (where is_external) end as external
    from active_accounts
    group by source
),

grant_counts as (
    select
        source, object_type, object_id,
        bool_or(granted_to_type = 'everyone') as is_for_everyone,
        count(*) filter (where granted_to_type = 'invitation') as invitations,
        count(*) filter (where granted_to_type = 'account') as accounts,
        count(*) filter (where granted_to_type = 'group') as groups,
        sum(coalesce(accounts_reached, 0)) as accounts_reached
    from graph.object_grants
    where object_id <> ''
    group by source, object_type, object_id
),

role_counts as (
    select source, object_type, sum(accounts_reached) as accounts_reached
    from graph.object_grants
    where object_id = '' and granted_to_type = 'role'
    group by source, object_type
),

finding_counts as (
    select objects.source, objects.object_type, objects.object_id, count(*) as findings
    from graph.objects as objects
    join findings.register as found on found.source = objects.source and found.subject_id = objects.object_id
        and coalesce(found.object_type, objects.object_type) = objects.object_type
    where found.subject_type = 'object' and found.status = 'open'
    group by objects.source, objects.object_type, objects.object_id
),

objects as (
    select
        object.source, object.object_type, object.object_id, object.object_name, object.owner_email,
        object.sensitivity, coalesce(object.is_sensitive, false) as is_sensitive, object.is_public,
        object.has_shares, coalesce(grants.is_for_everyone, false) as is_for_everyone,
        coalesce(grants.invitations, 0) as invitations,
        coalesce(grants.accounts, 0) as accounts,
        coalesce(grants.groups, 0) as groups,
        coalesce(found.findings, 0) as findings,
        case
            when grants.is_for_everyone then coalesce(active.accounts, 0)
            else least(
                coalesce(active.accounts, 0),
                coalesce(grants.accounts_reached, 0) + coalesce(roles.accounts_reached, 0)
            )
        end as accounts_at_most
    from graph.objects as object
    left join grant_counts as grants
        on grants.source = object.source and grants.object_type = object.object_type
        and grants.object_id = object.object_id
    left join role_counts as roles on roles.source = object.source and roles.object_type = object.object_type
    left join active_counts as active on active.source = object.source
    left join finding_counts as found
        on found.source = object.source and found.object_type = object.object_type
        and found.object_id = object.object_id
    where object.object_type in ('dashboard', 'model')
),

-- The most that can reach an object decides which objects are counted exactly.
candidate_objects as (
    select
        *,
        row_number() over (
            order by coalesce(is_public, false) desc, accounts_at_most desc, is_sensitive desc, findings desc,
                object_name, source, object_type, object_id
        ) as candidate,
        case when is_sensitive then
            row_number() over (
                partition by is_sensitive
                order by coalesce(is_public, false) desc, accounts_at_most desc, findings desc, object_name, source,
                    object_type, object_id
            )
        end as sensitive_candidate
    from objects
),

-- Counting each account once means to multiply out the groups: only for the candidates.
candidate_grants as (
    select
        object.source, object.object_type, object.object_id, grants.granted_to_type, grants.granted_to_id
    from candidate_objects as object
    join graph.object_grants as grants
        on grants.source = object.source and grants.object_type = object.object_type
        and grants.object_id in (object.object_id, '')
    where (object.candidate <= $candidates or object.sensitive_candidate <= $candidates) and not object.is_for_everyone
),

reaching_accounts as (
    select source, object_type, object_id, granted_to_id as account_id
    from candidate_grants
    where granted_to_type = 'account'
    union
    select grants.source, grants.object_type, grants.object_id, member.account_id
    from candidate_grants as grants
    join graph.memberships as member on member.source = grants.source and member.group_id = grants.granted_to_id
    where grants.granted_to_type = 'group'
    union
    select grants.source, grants.object_type, grants.object_id, account.account_id
    from candidate_grants as grants
    join active_accounts as account on account.source = grants.source and account.role_id = grants.granted_to_id
    where grants.granted_to_type = 'role'
),

account_counts as (
    select
        reaching.source, reaching.object_type, reaching.object_id, count(*) as accounts,
        count(*) filter (where account.privileged) as privileged,
        case when exists (select 1 from policy.email_domains)
            then count(*) filter (where account.is_external) end as external
    from reaching_accounts as reaching
    join active_accounts as account on account.source = reaching.source and account.account_id = reaching.account_id
    group by reaching.source, reaching.object_type, reaching.object_id
),

counted_objects as (
    select
        object.*,
        case
            when object.is_for_everyone then coalesce(active.accounts, 0)
            when object.candidate <= $candidates or object.sensitive_candidate <= $candidates
                then coalesce(counted.accounts, 0)
        end as accounts_reached,
        case
            when object.is_for_everyone then coalesce(active.privileged, 0)
            when object.candidate <= $candidates or object.sensitive_candidate <= $candidates
                then coalesce(counted.privileged, 0)
        end as privileged_reached,
        case
            when not exists (select 1 from policy.email_domains) then null
            when object.is_for_everyone then coalesce(active.external, 0)
            when object.candidate <= $candidates or object.sensitive_candidate <= $candidates
                then coalesce(counted.external, 0)
        end as external_reached
    from candidate_objects as object
    left join active_counts as active on active.source = object.source
    left join account_counts as counted
        on counted.source = object.source and counted.object_type = object.object_type
        and counted.object_id = object.object_id
)

-- A public link is wider than any number of accounts. Among equals, sensitive ones come first.
select
    source,
    object_type,
    object_id,
    object_name,
    owner_email,
    sensitivity,
    is_sensitive,
    is_public,
    has_shares,
    is_for_everyone,
    invitations,
    accounts,
    groups,
    findings,
    cast(accounts_at_most as bigint) as accounts_at_most,
    accounts_reached,
    privileged_reached,
    external_reached,
    row_number() over (
        order by coalesce(is_public, false) desc, candidate > $candidates, accounts_reached desc nulls last, candidate
    ) as position,
    case when is_sensitive then
        row_number() over (
            partition by is_sensitive
            order by coalesce(is_public, false) desc, sensitive_candidate > $candidates,
                accounts_reached desc nulls last, sensitive_candidate
        )
    end as sensitive_position
from counted_objects

/* example
name = "an account that several grants reach counts once; public, then everyone, then by number; inactive accounts do not count"
given."policy.email_domains" = [ { email_domain = "example.com" } ]
given."graph.accounts" = [
  { source = "s", account_id = "1", role_id = "v", status = "active", email_domain = "example.com", privileged = false },
  { source = "s", account_id = "2", role_id = "v", status = "active", email_domain = "other.test", privileged = false },
  { source = "s", account_id = "3", role_id = "a", status = "active", email_domain = "example.com", privileged = true },
  { source = "s", account_id = "4", role_id = "v", status = "inactive", email_domain = "example.com", privileged = false },
]
given."graph.memberships" = [
  { source = "s", account_id = "1", group_id = "g" }, { source = "s", account_id = "2", group_id = "g" }, { source = "s", account_id = "4", group_id = "g" },
]
given."graph.objects" = [
  { source = "s", object_type = "dashboard", object_id = "d", object_name = "Shared", sensitivity = "secret", is_sensitive = true, is_public = false },
  { source = "s", object_type = "dashboard", object_id = "p", object_name = "Public", is_public = true },
  { source = "s", object_type = "model", object_id = "m", object_name = "All", is_public = false },
  { source = "s", object_type = "folder", object_id = "f", object_name = "Folder" },
]
given."graph.object_grants" = [
  { source = "s", object_type = "dashboard", object_id = "", level = "edit", granted_to_type = "role", granted_to_id = "a", accounts_reached = 1 },
  { source = "s", object_type = "dashboard", object_id = "d", level = "owner", granted_to_type = "account", granted_to_id = "1", accounts_reached = 1 },
  { source = "s", object_type = "dashboard", object_id = "d", level = "view", granted_to_type = "group", granted_to_id = "g", accounts_reached = 2 },
  { source = "s", object_type = "dashboard", object_id = "d", level = "view", granted_to_type = "invitation", granted_to_id = "x@other.test" },
  { source = "s", object_type = "dashboard", object_id = "p", level = "view", granted_to_type = "public", granted_to_id = "" },
  { source = "s", object_type = "model", object_id = "m", level = "read", granted_to_type = "everyone", granted_to_id = "e", accounts_reached = 3 },
]
given."findings.register" = [
  { source = "s", finding_id = "1", rule_id = "r", subject_type = "object", subject_id = "d", status = "open" },
]
expect = [
  { object_id = "p", position = 1, is_public = true, accounts_at_most = 1, accounts_reached = 1, privileged_reached = 1, external_reached = 0, sensitive_position = "<null>" },
  { object_id = "d", position = 2, accounts = 1, groups = 1, invitations = 1, findings = 1, accounts_at_most = 3, accounts_reached = 3, privileged_reached = 1, external_reached = 1, sensitive_position = 1 },
  { object_id = "m", position = 3, is_for_everyone = true, accounts_at_most = 3, accounts_reached = 3, privileged_reached = 1, external_reached = 1 },
]
*/
/* example
name = "only the candidates are counted exactly; without domains, nobody is called external"
params = { candidates = 1 }
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", email_domain = "other.test", privileged = false }, { source = "s", account_id = "2", status = "active", privileged = false },
]
given."graph.objects" = [
  { source = "s", object_type = "model", object_id = "a", object_name = "A" }, { source = "s", object_type = "model", object_id = "b", object_name = "B" },
]
given."graph.object_grants" = [
  { source = "s", object_type = "model", object_id = "a", level = "use", granted_to_type = "account", granted_to_id = "1", accounts_reached = 1 },
]
expect = [
  { object_id = "a", position = 1, accounts_at_most = 1, accounts_reached = 1, external_reached = "<null>" },
  { object_id = "b", position = 2, accounts_at_most = 0, accounts_reached = "<null>" },
]
*/
