-- The accounts of one application as Vanta's access file, to upload in an access review there
-- file: vanta.csv
-- source: https://help.vanta.com/en/articles/11345421-access-file-uploader
-- checked: 2026-11-30
-- $source: the source's name in the configuration
with

roster as (
    select count(*) > 0 as is_loaded from graph.people
),

own_domains as (
    select count(*) > 0 as is_known from policy.email_domains
),

-- Vanta separates roles by commas, so a role's own comma would read as two roles.
roles as (
    select
        account_id,
        string_agg(distinct replace(entitlement_name, ',', ' '), ', ' order by replace(entitlement_name, ',', ' ')) as roles
    from reports.access
    where source = $source and entitlement_type = 'role'
    group by account_id
)

-- The order of the columns is the published one; readers sort by the name.
select
    coalesce(account.user_name, account.email, account.account_id) as "Account name",
    case
        when account.account_type in ('service', 'shared', 'break_glass') then 'Not a person'
        when person.email is not null then person.email
        when
            own_domains.is_known and account.email_domain is not null and inside.email_domain is null
            then 'External user'
        when not roster.is_loaded then coalesce(account.email, '')
        when account.person_match = 'unmatched' then 'No owner'
        else ''  -- several people match, or one only by name: Vanta leaves an owner that is not known blank
    end as "Account owner",
    coalesce(roles.roles, replace(account.role_display_name, ',', ' '), '') as "Role",
    -- Vanta has two statuses. What may be signed in to, or cannot be read, is to be reviewed, so it is not deactivated.
    case when account.status = 'inactive' then 'Deactivated' else 'Active' end as "Status"
from reports.population as account
cross join roster
cross join own_domains
left join graph.people as person on person.person_id = account.person_id
left join policy.email_domains as inside on inside.email_domain = account.email_domain
left join roles on roles.account_id = account.account_id
where account.source = $source
