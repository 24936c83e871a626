-- Which accounts outside the organisation's e-mail domains hold a privileged role or group?
with

powerful as (
    select
        source, account_id,
        array_to_string(list_sort(list(distinct entitlement_type || ' ' || entitlement_name)), '; ') as holds
    from graph.effective_access
    where permission_level = 'privileged'
    group by source, account_id
)

select account.source, account.display_name, account.email, account.email_domain, account.status, powerful.holds
from graph.accounts as account
join powerful on powerful.source = account.source and powerful.account_id = account.account_id
anti join policy.email_domains as own on own.email_domain = account.email_domain
-- without a list of its own domains nobody can be called outside
where account.email_domain is not null and exists (select 1 from policy.email_domains)
order by account.source, account.display_name, account.account_id
