-- Which values identify people, and of which kind is each: name, login, address, id, domain, object or written (text)?
with

-- Everything that may name a person, in this snapshot, in earlier ones, in reviews and in the policy.
named as (
    select 'login' as kind, user_name as value from graph.accounts
    union all
    select 'name', display_name from graph.accounts
    union all
    select 'name', first_name from graph.accounts
    union all
    select 'name', last_name from graph.accounts
    union all
    select 'address', email from graph.accounts
    union all
    select 'id', account_id from graph.accounts
    union all
    select 'name', name_key from graph.accounts
    union all
    select 'name', display_name from graph.people
    union all
    select 'name', name_key from graph.people
    union all
    select 'name', unnest(string_split(display_name, ' ')) from graph.people
    union all
    select 'address', email from graph.people
    union all
    select 'address', manager_email from graph.people
    union all
    select 'login', unnest(alias_keys) from graph.people
    union all
    select 'id', person_id from graph.people
    union all
    select 'login', user_name from graph.provider_users
    union all
    select 'login', unnest(alias_keys) from graph.provider_users
    union all
    select 'login', user_name from history.accounts
    union all
    select 'name', display_name from history.accounts
    union all
    select 'address', email from history.accounts
    union all
    select 'id', account_id from history.accounts
    union all
    select 'login', principal_user_name from meta.sources
    union all
    select 'login', user_name from policy.service_accounts
    union all
    select 'login', user_name from policy.break_glass
    union all
    select 'name', approved_by from policy.exceptions
    union all
    select 'name', approved_by from policy.out_of_scope
    union all
    select 'name', subject from policy.exceptions
    union all
    select 'name', subject from policy.out_of_scope
    union all
    select 'name', decided_by from graph.review_decisions
    union all
    select 'login', user_name from graph.review_decisions
    union all
    select 'name', decided_by from graph.revocations
    union all
    select 'name', signed_by from review.sign_offs
    union all
    select 'name', applied_by from review.changes
    union all
    select 'name', approver from review.changes
    union all
    select 'name', approver from review.plans
    union all
    select 'name', approver from review.decisions
    union all
    -- the only text of a policy file that a finding repeats in its sentence
    select 'written', reason from policy.sod_pairs
    union all
    select 'object', object_name from graph.objects
    union all
    select 'object', model_title from staging.dashboards
    union all
    select 'domain', email_domain from graph.accounts
    where
        email_domain not in (select email_domain from policy.email_domains)
        and email_domain not in (select email_domain from reference.freemail_domains)
),

-- A word that the names of several groups share, such as Team, is no name of a person, although a shared account may
-- have it as one.
group_words as (
    select distinct source, group_id, unnest(string_split(lower(group_name), ' ')) as word
    from graph.groups
),

shared_words as (
    select word
    from group_words
    group by word
    having count(*) > 2
),

-- Words of the report itself, of roles, groups and departments. They name no person, although a login may be the same.
vocabulary as (
    select role_name as word from graph.roles
    union
    select role_display_name from graph.roles
    union
    select group_name from graph.groups
    union
    select department from graph.people
    union
    select word from shared_words
    union
    select source from meta.sources
    union
    select unnest(regexp_extract_all(lower(concat_ws(' ', title, summary, remediation, rule_id)), '[a-z]+'))
    from findings.rule_summary
    union
    select unnest(['admin', 'administrator', 'user', 'account', 'group', 'role', 'active', 'inactive', 'unknown', 'system'])
),

kinds as (
    -- one value may be a login and an address: it has one kind, so that it has one pseudonym
    select lower(trim(value)) as value, min(kind) as kind
    from named
    where (length(trim(value)) > 2 or strlen(trim(value)) > 3) and regexp_matches(value, '\p{L}')
    group by lower(trim(value))
)

select value, case when kind <> 'written' and contains(value, '@') then 'address' else kind end as kind
from kinds
where value not in (select lower(word) from vocabulary where word is not null)
