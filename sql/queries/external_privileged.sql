-- Which accounts outside the organisation's e-mail domains hold a privileged role or group?
with

privileged_access as (
    select
        source, account_id,
        array_to_string(list_sort(list(distinct entitlement_type || ' ' || entitlement_name)), '; ') as holds
    from graph.effective_access
    where permission_level = 'privileged'
    group by source, account_id
)

select account.source, account.display_name, account.email, account.email_domain, account.status, held.holds
from graph.accounts as account
join privileged_access as held on held.source = account.source and held.account_id = account.account_id
anti join policy.email_domains as own on own.email_domain = account.email_domain
-- Without a list of the organisation's domains, no account counts as external.
where account.email_domain is not null and exists (select 1 from policy.email_domains)
order by account.source, account.display_name, account.account_id
