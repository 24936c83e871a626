/*
title       = "Duplicate accounts"
summary     = "An active account that shares its e-mail address (ignoring case and +tags) or its person with another active account in the source. One privileged and one ordinary account are allowed if each has its own address."
severity    = "medium"
population  = "select source, account_id from graph.accounts where status in ('active', 'unknown')"
reads       = ["graph.accounts"]
grain       = ["source", "account_id"]
remediation = "Keep the account that is in use, and deactivate the others."

[controls]
iso27001 = ["A.5.16"]
pci      = ["8.2.1"]
cis      = ["5.1"]
*/
with

accounts as (
    select
        source, account_id, status,
        -- Reports name an account by its e-mail address, which duplicates may share: the user name distinguishes them.
        case
            when lower(user_name) <> email_key then user_name || ' (' || email_key || ')'
            else coalesce(user_name, email_key, account_id)
        end as name,
        person_id, privileged, email_key,
        list_contains(unreadable_fields, 'email') as has_unreadable_email,
        case when email_domain is not null then regexp_replace(email_key, '\+[^@]*@', '@') end as address
    from graph.accounts
    where status in ('active', 'unknown')
),

-- Nearly all addresses and people have one account. Only the others need a list, and engines hold a list for each group.
shared_addresses as (
    select source, address from accounts where address is not null group by source, address having count(*) > 1
),

shared_people as (
    select source, person_id from accounts where person_id is not null group by source, person_id having count(*) > 1
),

addresses as (
    select
        source, address,
        count(*) filter (where status = 'active') as active_count,
        count(*) filter (where status = 'active' and privileged) as privileged_count,
        count(*) as possible_count,
        -- Enough to name three others of each.
        (list({'name': name, 'account_id': account_id} order by name, account_id) filter (where status = 'active'))[:4] as named,
        count(*) filter (where privileged) as possible_privileged_count,
        count(distinct email_key) = count(*) as has_own_addresses
    from accounts
    semi join shared_addresses as shared on shared.source = accounts.source and shared.address = accounts.address
    group by source, address
),

people as (
    select
        source, person_id,
        count(*) filter (where status = 'active') as active_count,
        count(*) filter (where status = 'active' and privileged) as privileged_count,
        count(*) as possible_count,
        -- Enough to name three others of each.
        (list({'name': name, 'account_id': account_id} order by name, account_id) filter (where status = 'active'))[:4] as named,
        count(*) filter (where privileged) as possible_privileged_count
    from accounts
    semi join shared_people as shared on shared.source = accounts.source and shared.person_id = accounts.person_id
    group by source, person_id
),

-- Administrators should have one privileged and one ordinary account, each with its own address.
verdicts as (
    select
        account.source, account.account_id, account.address, addresses.active_count as address_count,
        people.active_count as person_count,
        list_filter(
            case when people.active_count > 1 then people.named else addresses.named end, lambda other: other.account_id <> account.account_id
        )[:3] as others,
        case when people.active_count > 1 then people.active_count else addresses.active_count end - 1 as other_count,
        case
            when account.status = 'unknown' then 'unknown'
            when addresses.active_count > 1
                and not (addresses.active_count = 2 and addresses.privileged_count = 1 and addresses.has_own_addresses)
                then 'failed'
            when people.active_count > 1 and not (people.active_count = 2 and people.privileged_count = 1) then 'failed'
            -- The other account is of unknown status, or this one has nothing to compare.
            when addresses.possible_count > 1 and not (
                addresses.possible_count = 2 and addresses.possible_privileged_count = 1 and addresses.has_own_addresses
            ) then 'unknown'
            when people.possible_count > 1
                and not (people.possible_count = 2 and people.possible_privileged_count = 1) then 'unknown'
            when account.has_unreadable_email or (account.address is null and account.person_id is null) then 'unknown'
        end as verdict
    from accounts as account
    left join addresses on addresses.source = account.source and addresses.address = account.address
    left join people on people.source = account.source and people.person_id = account.person_id
)

select
    source,
    account_id,
    verdict,
    case
        when person_count > 1 then person_count || ' active accounts belong to the same person.'
        else address_count || ' active accounts share the address ' || address || '.'
    end
        || case when other_count = 1 then ' The other one is ' else ' The others are ' end
        || array_to_string(list_transform(others, lambda other: other.name), ', ')
        || case when other_count > 3 then ' and ' || grouped(other_count - 3) || ' more' else '' end || '.' as detail,
    counted(greatest(coalesce(address_count, 0), coalesce(person_count, 0)), 'account') as observed_value,
    'one account' as threshold
from verdicts
where verdict is not null

/* example
name = "accounts with one address (ignoring case and tag) or one person fail; inactive accounts and other sources do not count"
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", privileged = false, email_key = "ada@example.com", email_domain = "example.com" },
  { source = "s", account_id = "2", status = "active", privileged = false, email_key = "ada+bi@example.com", email_domain = "example.com" },
  { source = "s", account_id = "3", status = "active", privileged = false, email_key = "bo@example.com", email_domain = "example.com", person_id = "p" },
  { source = "s", account_id = "4", status = "active", privileged = false, email_key = "adm-bo@example.com", email_domain = "example.com", person_id = "p" },
  { source = "s", account_id = "5", status = "active", privileged = false, email_key = "cy@example.com", email_domain = "example.com" },
  { source = "s", account_id = "6", status = "inactive", privileged = false, email_key = "cy@example.com", email_domain = "example.com" },
  { source = "t", account_id = "7", status = "active", privileged = false, email_key = "cy@example.com", email_domain = "example.com" },
  { source = "s", account_id = "8", status = "active", privileged = false, email_key = "di@example.com", email_domain = "example.com" },
  { source = "s", account_id = "9", status = "unknown", privileged = false, email_key = "di@example.com", email_domain = "example.com" },
  { source = "s", account_id = "10", status = "active", privileged = false },
  { source = "s", account_id = "11", status = "active", privileged = false },
]
expect = [
  { account_id = "1", verdict = "failed", detail = "2 active accounts share the address ada@example.com. The other one is ada+bi@example.com." }, { account_id = "2", verdict = "failed" },
  { account_id = "3", verdict = "failed" }, { account_id = "4", verdict = "failed" },
  { account_id = "8", verdict = "unknown" }, { account_id = "9", verdict = "unknown" },
  { account_id = "10", verdict = "unknown" }, { account_id = "11", verdict = "unknown" },
]
population = 10
*/
/* example
name = "a privileged and an ordinary account are allowed, unless they share an address or there are more accounts"
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", email_key = "ada@example.com", email_domain = "example.com", person_id = "p", privileged = false },
  { source = "s", account_id = "2", status = "active", email_key = "ada+adm@example.com", email_domain = "example.com", person_id = "p", privileged = true },
  { source = "s", account_id = "3", status = "active", email_key = "bo@example.com", email_domain = "example.com", person_id = "q", privileged = false },
  { source = "s", account_id = "4", status = "active", email_key = "adm-bo@example.com", email_domain = "example.com", person_id = "q", privileged = true },
  { source = "s", account_id = "5", status = "active", email_key = "cy@example.com", email_domain = "example.com", privileged = false },
  { source = "s", account_id = "6", status = "active", email_key = "cy@example.com", email_domain = "example.com", privileged = true },
  { source = "s", account_id = "7", status = "active", email_key = "di@example.com", email_domain = "example.com", person_id = "r", privileged = true },
  { source = "s", account_id = "8", status = "active", email_key = "adm-di@example.com", email_domain = "example.com", person_id = "r", privileged = true },
  { source = "s", account_id = "9", status = "active", email_key = "ed@example.com", email_domain = "example.com", person_id = "t", privileged = true },
  { source = "s", account_id = "10", status = "unknown", email_key = "ed2@example.com", email_domain = "example.com", person_id = "t", privileged = false },
]
expect = [
  { account_id = "5", verdict = "failed" }, { account_id = "6", verdict = "failed" },
  { account_id = "7", verdict = "failed" }, { account_id = "8", verdict = "failed" },
  { account_id = "10", verdict = "unknown" },
]
population = 10
*/
/* example
name = "a finding names three of the other accounts"
given."graph.accounts" = [
  { source = "s", account_id = "1", user_name = "ann", status = "active", privileged = false, email_key = "ann@example.com", email_domain = "example.com", person_id = "p" },
  { source = "s", account_id = "2", user_name = "ann2", status = "active", privileged = false, email_key = "ann@example.com", email_domain = "example.com", person_id = "p" },
  { source = "s", account_id = "3", user_name = "ann3", status = "active", privileged = false, email_key = "ann3@example.com", email_domain = "example.com", person_id = "p" },
  { source = "s", account_id = "4", user_name = "ann4", status = "active", privileged = false, email_key = "ann4@example.com", email_domain = "example.com", person_id = "p" },
  { source = "s", account_id = "5", user_name = "ann5", status = "active", privileged = false, email_key = "ann5@example.com", email_domain = "example.com", person_id = "p" },
]
expect = [
  { account_id = "1", detail = "5 active accounts belong to the same person. The others are ann2 (ann@example.com), ann3 (ann3@example.com), ann4 (ann4@example.com) and 1 more." },
  { account_id = "2", detail = "5 active accounts belong to the same person. The others are ann (ann@example.com), ann3 (ann3@example.com), ann4 (ann4@example.com) and 1 more." },
  { account_id = "3", detail = "5 active accounts belong to the same person. The others are ann (ann@example.com), ann2 (ann@example.com), ann4 (ann4@example.com) and 1 more." },
  { account_id = "4", detail = "5 active accounts belong to the same person. The others are ann (ann@example.com), ann2 (ann@example.com), ann3 (ann3@example.com) and 1 more." },
  { account_id = "5", detail = "5 active accounts belong to the same person. The others are ann (ann@example.com), ann2 (ann@example.com), ann3 (ann3@example.com) and 1 more." },
]
population = 5
*/
