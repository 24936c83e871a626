-- What has changed about each listed account since the baseline?
with

-- The key of a membership is the ids of account and group, joined by a colon, which either may contain.
changes as (
    select *, key as account_id from reports.changes where object_kind = 'account'
    union all
    select
        *,
        unnest(list_transform(
            range(1, length(string_split(key, ':'))),
            lambda parts: array_to_string(string_split(key, ':')[1:parts], ':')
        )) as account_id
    from reports.changes
    where object_kind = 'membership'
)

select
    chosen.place as account, change.object_kind, change.change, change.field,
    case when change.field <> 'privileged' then change.old_value when change.old_value = 'true' then 'privileged' when change.old_value = 'false' then 'not privileged' end as old_value,
    case when change.field <> 'privileged' then change.new_value when change.new_value = 'true' then 'privileged' when change.new_value = 'false' then 'not privileged' end as new_value,
    change.privileged_effect
from changes as change
join lookup_choice as chosen on chosen.source = change.source and chosen.account_id = change.account_id
order by chosen.place, change.object_kind, change.change, change.field, change.key
