-- Which access does the workbook list, that to remove or reduce first, and then by the name of who has it?
select
    row_number() over (
        order by
            access.recommendation not in ('remove', 'reduce', 'investigate'),
            lower(coalesce(account.display_name, account.email, account.user_name, access.account_id)), access.source,
            access.account_id, access.entitlement_type desc, lower(access.entitlement_name), access.item_id
    ) as line,
    coalesce(account.display_name, account.email, account.user_name, access.account_id) as "Name",
    coalesce(access.email, account.user_name) as "E-mail or user name",
    account.department as "Department",
    access.entitlement_type as "Kind",
    coalesce(access.entitlement_name, access.entitlement_id) as "Access",
    replace(access.recommendation, '_', ' ') as "Recommendation",
    access.recommendation_reason as "Why",
    access.path as "How it is held",
    access.prior_decision as "Last decision",
    cast(access.prior_decision_at as date) as "Decided",
    access.source as "Source",
    access.item_id as "Item id"
from reports.access as access
left join reports.population as account
    on account.source = access.source and account.account_id = access.account_id
