-- Which rows of which models does an account see, for each column with a row rule? Other columns are open.
-- $account: the account's id, user name or e-mail address
with

matching_accounts as (
    select source, account_id
    from graph.accounts
    where account_id = $account or user_name_key = match_key($account) or email_key = match_key($account)
),

account_groups as (
    select account.source, account.account_id, member.group_id
    from matching_accounts as account
    join graph.memberships as member on member.source = account.source and member.account_id = account.account_id
    union
    select account.source, account.account_id, everyone.group_id
    from matching_accounts as account
    join graph.groups as everyone on everyone.source = account.source and everyone.is_everyone
),

-- The rules of all groups of an account are one level: their values count together, so they are read one by one.
group_rules as (
    select distinct
        held.source, held.account_id, rule.model_id, coalesce(rule.table_name, '') as table_name,
        coalesce(rule.column_name, '') as column_name, rule.row_rule_id, rule.effect
    from account_groups as held
    join staging.row_rule_parties as party
        on party.source = held.source and party.party_type = 'group' and party.party_id = held.group_id
    join staging.row_rules as rule on rule.source = party.source and rule.row_rule_id = party.row_rule_id
),

rule_values as (
    select
        rule.source, rule.account_id, rule.model_id, rule.table_name, rule.column_name, member.value_hash,
        bool_or(rule.effect = 'allow') as is_allowed, bool_or(rule.effect = 'block') as is_blocked
    from group_rules as rule
    join staging.row_rule_values as member on member.source = rule.source and member.row_rule_id = rule.row_rule_id
    where rule.effect in ('allow', 'block')
    group by all
),

value_counts as (
    select
        source, account_id, model_id, table_name, column_name,
        count(*) filter (where is_allowed and not is_blocked) as seen, count(*) filter (where is_blocked) as hidden
    from rule_values
    group by all
),

effects as (
    select
        source, account_id, model_id, table_name, column_name,
        bool_or(effect = 'nothing') as has_nothing,
        bool_or(coalesce(effect, 'unknown') not in ('everything', 'nothing', 'allow', 'block')) as has_unknown,
        bool_or(effect = 'allow') as has_allow
    from group_rules
    group by all
),

group_access as (
    select
        effects.source, effects.account_id, effects.model_id, effects.table_name, effects.column_name,
        case
            when effects.has_nothing then 'nothing'
            when effects.has_unknown or unclear.source is not null then 'not_known'
            when effects.has_allow and coalesce(counts.seen, 0) = 0 then 'nothing'
            when effects.has_allow then 'some'
            when counts.hidden > 0 then 'all_but'
            else 'everything'
        end as access,
        case when effects.has_allow then counts.seen else counts.hidden end as value_count
    from effects
    left join value_counts as counts
        on counts.source = effects.source and counts.account_id = effects.account_id
        and counts.model_id = effects.model_id and counts.table_name = effects.table_name
        and counts.column_name = effects.column_name
    -- a rule for an unknown party may be for one of the account's groups, too
    left join graph.unclear_columns as unclear
        on unclear.source = effects.source and unclear.model_id = effects.model_id
        and unclear.table_name = effects.table_name and unclear.column_name = effects.column_name
),

places as (
    select distinct account.source, account.account_id, found.model_id, found.table_name, found.column_name
    from matching_accounts as account
    join graph.row_access as found on found.source = account.source
)

select
    place.source, place.model_id, model.object_name as model_name, place.table_name, place.column_name,
    coalesce(own.access, of_groups.access, by_default.access, 'everything') as access,
    case coalesce(own.access, of_groups.access, by_default.access)
        when 'some' then coalesce(if(own.access is null, of_groups.value_count, own.value_count), by_default.value_count)
        when 'all_but' then coalesce(if(own.access is null, of_groups.value_count, own.value_count), by_default.value_count)
    end as value_count,
    place.account_id
from places as place
left join graph.objects as model
    on model.source = place.source and model.object_type = 'model' and model.object_id = place.model_id
left join graph.own_row_access as own
    on own.source = place.source and own.account_id = place.account_id and own.model_id = place.model_id
    and own.table_name = place.table_name and own.column_name = place.column_name
left join group_access as of_groups
    on of_groups.source = place.source and of_groups.account_id = place.account_id
    and of_groups.model_id = place.model_id and of_groups.table_name = place.table_name
    and of_groups.column_name = place.column_name
left join graph.row_access as by_default
    on by_default.granted_to_type = 'default' and by_default.source = place.source
    and by_default.model_id = place.model_id and by_default.table_name = place.table_name
    and by_default.column_name = place.column_name
order by place.source, place.account_id, model_name, place.model_id, place.table_name, place.column_name
