-- Which row rules limit the rows that the listed accounts see, by the account, group or everybody else that they name?
-- $rows: the most rules
-- What an account's own rules let it see already takes account of the rules of its groups.
with

rules as (
    select
        found.source, found.model_id, found.table_name, found.column_name,
        case when groups.group_id is not null then 'everyone' else found.granted_to_type end as granted_to_type,
        found.granted_to_id,
        coalesce(own.access, found.access) as access,
        case when own.access is null then found.value_count else own.value_count end as value_count
    from graph.row_access as found
    left join graph.groups as groups
        on found.granted_to_type = 'group' and groups.source = found.source
        and groups.group_id = found.granted_to_id and groups.is_everyone
    left join graph.own_row_access as own
        on found.granted_to_type = 'account' and own.source = found.source
        and own.account_id = found.granted_to_id and own.model_id = found.model_id
        and own.table_name = found.table_name and own.column_name = found.column_name
)

select
    rules.source, rules.model_id, coalesce(model.object_name, rules.model_id) as model_name,
    rules.table_name, rules.column_name, rules.granted_to_type, rules.granted_to_id, rules.access, rules.value_count,
    chosen.place as account, count(*) over () as total
from rules
left join graph.objects as model
    on model.source = rules.source and model.object_type = 'model' and model.object_id = rules.model_id
left join lookup_choice as chosen
    on rules.granted_to_type = 'account' and chosen.source = rules.source and chosen.account_id = rules.granted_to_id
where rules.granted_to_type <> 'account' or chosen.place is not null
order by
    rules.source, lower(coalesce(model.object_name, rules.model_id)), rules.model_id, rules.table_name,
    rules.column_name, rules.granted_to_type, rules.granted_to_id
limit $rows
