/*
summary = "The rows that one account sees where a rule for the column names the account itself: those that both its own rules and the rules of its groups let through."
reads   = [
    "staging.row_rules", "staging.row_rule_values", "staging.row_rule_parties", "graph.accounts", "graph.groups",
    "graph.memberships", "graph.unclear_columns",
]
grain   = ["source", "account_id", "model_id", "table_name", "column_name"]

[columns]
source            = "varchar: the source's name in the configuration"
account_id        = "varchar: the account"
model_id          = "varchar: the model"
table_name        = "varchar: the table"
column_name       = "varchar: the column that rows are filtered by"
own_access        = "varchar: what the account's own rules let through: everything, nothing, some, all_but or not_known"
own_value_count   = "bigint: number of values for some and all_but, else null"
group_access      = "varchar: what the rules of all its groups together let through; null without such a rule"
group_value_count = "bigint: number of values for some and all_but, else null"
access            = "varchar: what both let through, which is what the account sees"
value_count       = "bigint: number of values for some and all_but, else null"
is_wider          = "boolean: the account's own rules let through all that those of its groups do, and more"
*/
with

own_rules as (
    select distinct
        rule.source, party.party_id as account_id, rule.model_id, coalesce(rule.table_name, '') as table_name,
        coalesce(rule.column_name, '') as column_name, rule.row_rule_id, coalesce(rule.effect, 'unknown') as effect
    from staging.row_rules as rule
    join staging.row_rule_parties as party on party.source = rule.source and party.row_rule_id = rule.row_rule_id
    semi join graph.accounts as account on account.source = party.source and account.account_id = party.party_id
    where party.party_type = 'user'
),

own_columns as (
    select distinct source, account_id, model_id, table_name, column_name from own_rules
),

named_accounts as (
    select distinct source, account_id from own_rules
),

account_groups as (
    select account.source, account.account_id, member.group_id
    from named_accounts as account
    join graph.memberships as member on member.source = account.source and member.account_id = account.account_id
    union
    select account.source, account.account_id, everyone.group_id
    from named_accounts as account
    join graph.groups as everyone on everyone.source = account.source
    where everyone.is_everyone
),

-- Both sides of the next join are made distinct first: otherwise an engine may pair every account of a group with every
-- rule for the group before it looks at the columns.
own_column_groups as (
    select distinct own.source, own.account_id, own.model_id, own.table_name, own.column_name, held.group_id
    from own_columns as own
    join account_groups as held on held.source = own.source and held.account_id = own.account_id
),

rules_for_groups as (
    select distinct
        rule.source, party.party_id as group_id, rule.model_id, coalesce(rule.table_name, '') as table_name,
        coalesce(rule.column_name, '') as column_name, rule.row_rule_id, coalesce(rule.effect, 'unknown') as effect
    from staging.row_rules as rule
    join staging.row_rule_parties as party on party.source = rule.source and party.row_rule_id = rule.row_rule_id
    where party.party_type = 'group'
),

group_rules as (
    select distinct
        own.source, own.account_id, own.model_id, own.table_name, own.column_name, rule.row_rule_id, rule.effect
    from own_column_groups as own
    join rules_for_groups as rule
        on rule.source = own.source and rule.group_id = own.group_id and rule.model_id = own.model_id
        and rule.table_name = own.table_name and rule.column_name = own.column_name
),

-- In an unclear column, a rule for an unknown party may also be for the account or for one of its groups.
all_rules as (
    select found.*, unclear.source is not null as is_unclear
    from (select *, true as is_own from own_rules union all select *, false from group_rules) as found
    left join graph.unclear_columns as unclear
        on unclear.source = found.source and unclear.model_id = found.model_id
        and unclear.table_name = found.table_name and unclear.column_name = found.column_name
),

effects as (
    select
        source, account_id, model_id, table_name, column_name, is_own,
        bool_or(effect = 'nothing') as has_nothing,
        bool_or(effect not in ('everything', 'nothing', 'allow', 'block')) or bool_or(is_unclear) as has_unknown,
        bool_or(effect = 'allow') as has_allow,
        bool_or(effect = 'block') as has_block
    from all_rules
    group by source, account_id, model_id, table_name, column_name, is_own
),

-- One value that the rules of either side name.
rule_values as (
    select
        rule.source, rule.account_id, rule.model_id, rule.table_name, rule.column_name, member.value_hash,
        bool_or(rule.is_own and rule.effect = 'allow') and not bool_or(rule.is_own and rule.effect = 'block')
            as own_allows,
        bool_or(rule.is_own and rule.effect = 'block') as own_blocks,
        bool_or(not rule.is_own and rule.effect = 'allow') and not bool_or(not rule.is_own and rule.effect = 'block')
            as groups_allow,
        bool_or(not rule.is_own and rule.effect = 'block') as groups_block
    from all_rules as rule
    join staging.row_rule_values as member on member.source = rule.source and member.row_rule_id = rule.row_rule_id
    where rule.effect in ('allow', 'block')
    group by rule.source, rule.account_id, rule.model_id, rule.table_name, rule.column_name, member.value_hash
),

value_counts as (
    select
        source, account_id, model_id, table_name, column_name,
        count(*) filter (where own_allows) as own_seen,
        count(*) filter (where own_blocks) as own_hidden,
        count(*) filter (where groups_allow) as groups_seen,
        count(*) filter (where groups_block) as groups_hidden,
        count(*) filter (where own_allows and groups_allow) as both_seen,
        count(*) filter (where own_blocks or groups_block) as either_hidden,
        count(*) filter (where own_allows and not groups_block) as own_seen_of_groups,
        count(*) filter (where groups_allow and not own_blocks) as groups_seen_of_own
    from rule_values
    group by source, account_id, model_id, table_name, column_name
),

levels as (
    select
        effects.source, effects.account_id, effects.model_id, effects.table_name, effects.column_name, effects.is_own,
        case
            when effects.has_nothing then 'nothing'
            when effects.has_unknown then 'not_known'
            when effects.has_allow
                and coalesce(case when effects.is_own then counts.own_seen else counts.groups_seen end, 0) = 0 then 'nothing'
            when effects.has_allow then 'some'
            when effects.has_block
                and case when effects.is_own then counts.own_hidden else counts.groups_hidden end > 0 then 'all_but'
            else 'everything'
        end as access
    from effects
    left join value_counts as counts
        on counts.source = effects.source and counts.account_id = effects.account_id
        and counts.model_id = effects.model_id and counts.table_name = effects.table_name
        and counts.column_name = effects.column_name
),

both_levels as (
    select
        own.source, own.account_id, own.model_id, own.table_name, own.column_name,
        own.access as own_access,
        case own.access when 'some' then counts.own_seen when 'all_but' then counts.own_hidden end as own_value_count,
        groups.access as group_access,
        case groups.access when 'some' then counts.groups_seen when 'all_but' then counts.groups_hidden end
            as group_value_count,
        case
            when groups.access is null or groups.access = 'everything' then own.access
            when own.access = 'everything' then groups.access
            when own.access = 'nothing' or groups.access = 'nothing' then 'nothing'
            when own.access = 'not_known' or groups.access = 'not_known' then 'not_known'
            when own.access = 'all_but' and groups.access = 'all_but' then 'all_but'
            else 'some'
        end as combined_access,
        case
            when groups.access is null or groups.access = 'everything' then
                case own.access when 'some' then counts.own_seen when 'all_but' then counts.own_hidden end
            when own.access = 'everything' then
                case groups.access when 'some' then counts.groups_seen when 'all_but' then counts.groups_hidden end
            when own.access = 'all_but' and groups.access = 'all_but' then counts.either_hidden
            when own.access = 'some' and groups.access = 'some' then counts.both_seen
            when own.access = 'some' and groups.access = 'all_but' then counts.own_seen_of_groups
            when own.access = 'all_but' and groups.access = 'some' then counts.groups_seen_of_own
        end as combined_count
    from levels as own
    left join levels as groups
        on groups.source = own.source and groups.account_id = own.account_id and groups.model_id = own.model_id
        and groups.table_name = own.table_name and groups.column_name = own.column_name and not groups.is_own
    left join value_counts as counts
        on counts.source = own.source and counts.account_id = own.account_id and counts.model_id = own.model_id
        and counts.table_name = own.table_name and counts.column_name = own.column_name
    where own.is_own
),

results as (
    select
        *,
        case when combined_access = 'some' and combined_count = 0 then 'nothing' else combined_access end as access,
        case
            when combined_access in ('some', 'all_but') and combined_count > 0 then combined_count
        end as value_count
    from both_levels
)

select
    source,
    account_id,
    model_id,
    table_name,
    column_name,
    own_access,
    own_value_count,
    group_access,
    group_value_count,
    access,
    value_count,
    -- What both let through is all that the groups' rules do, and the account's own rules are not the same as those.
    coalesce(
        own_access <> 'not_known' and group_access <> 'not_known'
        and access = group_access and value_count is not distinct from group_value_count
        and not (own_access = group_access and own_value_count is not distinct from group_value_count),
        false
    ) as is_wider
from results

/* example
name = "the account sees what its own rules and those of its group both let through"
given."graph.accounts" = [ { source = "s", account_id = "a" } ]
given."graph.memberships" = [ { source = "s", account_id = "a", group_id = "g" } ]
given."staging.row_rules" = [
  { source = "s", row_rule_id = "0 own", model_id = "m", table_name = "T", column_name = "own everything, group 1", effect = "everything" },
  { source = "s", row_rule_id = "0 group", model_id = "m", table_name = "T", column_name = "own everything, group 1", effect = "allow" },
  { source = "s", row_rule_id = "1 own", model_id = "m", table_name = "T", column_name = "own nothing, group everything", effect = "nothing" },
  { source = "s", row_rule_id = "1 group", model_id = "m", table_name = "T", column_name = "own nothing, group everything", effect = "everything" },
  { source = "s", row_rule_id = "2 own", model_id = "m", table_name = "T", column_name = "own everything, group nothing", effect = "everything" },
  { source = "s", row_rule_id = "2 group", model_id = "m", table_name = "T", column_name = "own everything, group nothing", effect = "nothing" },
  { source = "s", row_rule_id = "3 own", model_id = "m", table_name = "T", column_name = "own 1, group everything", effect = "allow" },
  { source = "s", row_rule_id = "3 group", model_id = "m", table_name = "T", column_name = "own 1, group everything", effect = "everything" },
  { source = "s", row_rule_id = "4 own", model_id = "m", table_name = "T", column_name = "own 1 2, group 1", effect = "allow" },
  { source = "s", row_rule_id = "4 group", model_id = "m", table_name = "T", column_name = "own 1 2, group 1", effect = "allow" },
  { source = "s", row_rule_id = "5 own", model_id = "m", table_name = "T", column_name = "own 1, group 1 2", effect = "allow" },
  { source = "s", row_rule_id = "5 group", model_id = "m", table_name = "T", column_name = "own 1, group 1 2", effect = "allow" },
  { source = "s", row_rule_id = "6 own", model_id = "m", table_name = "T", column_name = "own 1 2, group 2 3", effect = "allow" },
  { source = "s", row_rule_id = "6 group", model_id = "m", table_name = "T", column_name = "own 1 2, group 2 3", effect = "allow" },
  { source = "s", row_rule_id = "7 own", model_id = "m", table_name = "T", column_name = "own 1, group 2", effect = "allow" },
  { source = "s", row_rule_id = "7 group", model_id = "m", table_name = "T", column_name = "own 1, group 2", effect = "allow" },
  { source = "s", row_rule_id = "8 own", model_id = "m", table_name = "T", column_name = "own 1 2, group all but 2", effect = "allow" },
  { source = "s", row_rule_id = "8 group", model_id = "m", table_name = "T", column_name = "own 1 2, group all but 2", effect = "block" },
  { source = "s", row_rule_id = "9 own", model_id = "m", table_name = "T", column_name = "own 1, group all but 1", effect = "allow" },
  { source = "s", row_rule_id = "9 group", model_id = "m", table_name = "T", column_name = "own 1, group all but 1", effect = "block" },
  { source = "s", row_rule_id = "10 own", model_id = "m", table_name = "T", column_name = "own all but 1, group 2", effect = "block" },
  { source = "s", row_rule_id = "10 group", model_id = "m", table_name = "T", column_name = "own all but 1, group 2", effect = "allow" },
  { source = "s", row_rule_id = "11 own", model_id = "m", table_name = "T", column_name = "own all but 1, group all but 2", effect = "block" },
  { source = "s", row_rule_id = "11 group", model_id = "m", table_name = "T", column_name = "own all but 1, group all but 2", effect = "block" },
  { source = "s", row_rule_id = "12 own", model_id = "m", table_name = "T", column_name = "own all but 1, group all but 1 2", effect = "block" },
  { source = "s", row_rule_id = "12 group", model_id = "m", table_name = "T", column_name = "own all but 1, group all but 1 2", effect = "block" },
  { source = "s", row_rule_id = "13 own", model_id = "m", table_name = "T", column_name = "the same for both", effect = "allow" },
  { source = "s", row_rule_id = "13 group", model_id = "m", table_name = "T", column_name = "the same for both", effect = "allow" },
  { source = "s", row_rule_id = "14 own", model_id = "m", table_name = "T", column_name = "own only", effect = "allow" },
  { source = "s", row_rule_id = "15 own", model_id = "m", table_name = "T", column_name = "own cannot be read", effect = "unknown" },
  { source = "s", row_rule_id = "15 group", model_id = "m", table_name = "T", column_name = "own cannot be read", effect = "everything" },
  { source = "s", row_rule_id = "16 own", model_id = "m", table_name = "T", column_name = "group cannot be read, own nothing", effect = "nothing" },
  { source = "s", row_rule_id = "16 group", model_id = "m", table_name = "T", column_name = "group cannot be read, own nothing", effect = "unknown" },
  { source = "s", row_rule_id = "17 own", model_id = "m", table_name = "T", column_name = "own everything, group cannot be read", effect = "everything" },
  { source = "s", row_rule_id = "17 group", model_id = "m", table_name = "T", column_name = "own everything, group cannot be read", effect = "unknown" },
]
given."staging.row_rule_parties" = [
  { source = "s", row_rule_id = "0 own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "0 group", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "1 own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "1 group", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "2 own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "2 group", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "3 own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "3 group", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "4 own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "4 group", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "5 own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "5 group", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "6 own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "6 group", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "7 own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "7 group", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "8 own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "8 group", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "9 own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "9 group", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "10 own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "10 group", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "11 own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "11 group", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "12 own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "12 group", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "13 own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "13 group", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "14 own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "15 own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "15 group", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "16 own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "16 group", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "17 own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "17 group", party_type = "group", party_id = "g" },
]
given."staging.row_rule_values" = [
  { source = "s", row_rule_id = "0 group", value_hash = "1" },
  { source = "s", row_rule_id = "3 own", value_hash = "1" },
  { source = "s", row_rule_id = "4 own", value_hash = "1" },
  { source = "s", row_rule_id = "4 own", value_hash = "2" },
  { source = "s", row_rule_id = "4 group", value_hash = "1" },
  { source = "s", row_rule_id = "5 own", value_hash = "1" },
  { source = "s", row_rule_id = "5 group", value_hash = "1" },
  { source = "s", row_rule_id = "5 group", value_hash = "2" },
  { source = "s", row_rule_id = "6 own", value_hash = "1" },
  { source = "s", row_rule_id = "6 own", value_hash = "2" },
  { source = "s", row_rule_id = "6 group", value_hash = "2" },
  { source = "s", row_rule_id = "6 group", value_hash = "3" },
  { source = "s", row_rule_id = "7 own", value_hash = "1" },
  { source = "s", row_rule_id = "7 group", value_hash = "2" },
  { source = "s", row_rule_id = "8 own", value_hash = "1" },
  { source = "s", row_rule_id = "8 own", value_hash = "2" },
  { source = "s", row_rule_id = "8 group", value_hash = "2" },
  { source = "s", row_rule_id = "9 own", value_hash = "1" },
  { source = "s", row_rule_id = "9 group", value_hash = "1" },
  { source = "s", row_rule_id = "10 own", value_hash = "1" },
  { source = "s", row_rule_id = "10 group", value_hash = "2" },
  { source = "s", row_rule_id = "11 own", value_hash = "1" },
  { source = "s", row_rule_id = "11 group", value_hash = "2" },
  { source = "s", row_rule_id = "12 own", value_hash = "1" },
  { source = "s", row_rule_id = "12 group", value_hash = "1" },
  { source = "s", row_rule_id = "12 group", value_hash = "2" },
  { source = "s", row_rule_id = "13 own", value_hash = "1" },
  { source = "s", row_rule_id = "13 group", value_hash = "1" },
  { source = "s", row_rule_id = "14 own", value_hash = "1" },
]
expect = [
  { account_id = "a", column_name = "own everything, group 1", own_access = "everything", own_value_count = "<null>", group_access = "some", group_value_count = 1, access = "some", value_count = 1, is_wider = true },
  { account_id = "a", column_name = "own nothing, group everything", own_access = "nothing", own_value_count = "<null>", group_access = "everything", group_value_count = "<null>", access = "nothing", value_count = "<null>", is_wider = false },
  { account_id = "a", column_name = "own everything, group nothing", own_access = "everything", own_value_count = "<null>", group_access = "nothing", group_value_count = "<null>", access = "nothing", value_count = "<null>", is_wider = true },
  { account_id = "a", column_name = "own 1, group everything", own_access = "some", own_value_count = 1, group_access = "everything", group_value_count = "<null>", access = "some", value_count = 1, is_wider = false },
  { account_id = "a", column_name = "own 1 2, group 1", own_access = "some", own_value_count = 2, group_access = "some", group_value_count = 1, access = "some", value_count = 1, is_wider = true },
  { account_id = "a", column_name = "own 1, group 1 2", own_access = "some", own_value_count = 1, group_access = "some", group_value_count = 2, access = "some", value_count = 1, is_wider = false },
  { account_id = "a", column_name = "own 1 2, group 2 3", own_access = "some", own_value_count = 2, group_access = "some", group_value_count = 2, access = "some", value_count = 1, is_wider = false },
  { account_id = "a", column_name = "own 1, group 2", own_access = "some", own_value_count = 1, group_access = "some", group_value_count = 1, access = "nothing", value_count = "<null>", is_wider = false },
  { account_id = "a", column_name = "own 1 2, group all but 2", own_access = "some", own_value_count = 2, group_access = "all_but", group_value_count = 1, access = "some", value_count = 1, is_wider = false },
  { account_id = "a", column_name = "own 1, group all but 1", own_access = "some", own_value_count = 1, group_access = "all_but", group_value_count = 1, access = "nothing", value_count = "<null>", is_wider = false },
  { account_id = "a", column_name = "own all but 1, group 2", own_access = "all_but", own_value_count = 1, group_access = "some", group_value_count = 1, access = "some", value_count = 1, is_wider = true },
  { account_id = "a", column_name = "own all but 1, group all but 2", own_access = "all_but", own_value_count = 1, group_access = "all_but", group_value_count = 1, access = "all_but", value_count = 2, is_wider = false },
  { account_id = "a", column_name = "own all but 1, group all but 1 2", own_access = "all_but", own_value_count = 1, group_access = "all_but", group_value_count = 2, access = "all_but", value_count = 2, is_wider = true },
  { account_id = "a", column_name = "the same for both", own_access = "some", own_value_count = 1, group_access = "some", group_value_count = 1, access = "some", value_count = 1, is_wider = false },
  { account_id = "a", column_name = "own only", own_access = "some", own_value_count = 1, group_access = "<null>", group_value_count = "<null>", access = "some", value_count = 1, is_wider = false },
  { account_id = "a", column_name = "own cannot be read", own_access = "not_known", own_value_count = "<null>", group_access = "everything", group_value_count = "<null>", access = "not_known", value_count = "<null>", is_wider = false },
  { account_id = "a", column_name = "group cannot be read, own nothing", own_access = "nothing", own_value_count = "<null>", group_access = "not_known", group_value_count = "<null>", access = "nothing", value_count = "<null>", is_wider = false },
  { account_id = "a", column_name = "own everything, group cannot be read", own_access = "everything", own_value_count = "<null>", group_access = "not_known", group_value_count = "<null>", access = "not_known", value_count = "<null>", is_wider = false },
]
*/
/* example
name = "the rules of all groups and of Everyone are combined as one level; a rule for an unknown account, another source or by default does not count"
given."graph.accounts" = [ { source = "s", account_id = "a" }, { source = "t", account_id = "a" } ]
given."graph.groups" = [ { source = "s", group_id = "e", is_everyone = true }, { source = "t", group_id = "e", is_everyone = false } ]
given."graph.memberships" = [
  { source = "s", account_id = "a", group_id = "g" }, { source = "s", account_id = "a", group_id = "h" }, { source = "t", account_id = "a", group_id = "g" },
]
given."staging.row_rules" = [
  { source = "s", row_rule_id = "own", model_id = "m", table_name = "T", column_name = "C", effect = "everything" },
  { source = "s", row_rule_id = "1", model_id = "m", table_name = "T", column_name = "C", effect = "allow" },
  { source = "s", row_rule_id = "2", model_id = "m", table_name = "T", column_name = "C", effect = "block" },
  { source = "s", row_rule_id = "3", model_id = "m", table_name = "T", column_name = "C", effect = "allow" },
  { source = "s", row_rule_id = "4", model_id = "m", table_name = "T", column_name = "D", effect = "nothing" },
  { source = "s", row_rule_id = "5", model_id = "m", table_name = "T", column_name = "C", effect = "nothing" },
  { source = "t", row_rule_id = "own", model_id = "m", table_name = "T", column_name = "C", effect = "allow" },
  { source = "t", row_rule_id = "1", model_id = "m", table_name = "T", column_name = "C", effect = "nothing" },
]
given."staging.row_rule_parties" = [
  { source = "s", row_rule_id = "own", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "1", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "2", party_type = "group", party_id = "h" },
  { source = "s", row_rule_id = "3", party_type = "group", party_id = "e" },
  { source = "s", row_rule_id = "4", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "5", party_type = "default" },
  { source = "s", row_rule_id = "5", party_type = "user", party_id = "nobody" },
  { source = "t", row_rule_id = "own", party_type = "user", party_id = "a" },
  { source = "t", row_rule_id = "1", party_type = "group", party_id = "e" },
]
given."staging.row_rule_values" = [
  { source = "s", row_rule_id = "1", value_hash = "1" }, { source = "s", row_rule_id = "1", value_hash = "2" },
  { source = "s", row_rule_id = "2", value_hash = "1" }, { source = "s", row_rule_id = "3", value_hash = "3" },
  { source = "t", row_rule_id = "own", value_hash = "1" },
]
expect = [
  { source = "s", account_id = "a", column_name = "C", own_access = "everything", group_access = "some", group_value_count = 2, access = "some", value_count = 2, is_wider = true },
  { source = "t", account_id = "a", column_name = "C", own_access = "some", group_access = "<null>", access = "some", value_count = 1, is_wider = false },
]
*/
/* example
name = "a rule for an unknown party makes both results not known, unless they hide everything"
given."graph.accounts" = [ { source = "s", account_id = "a" } ]
given."graph.memberships" = [ { source = "s", account_id = "a", group_id = "g" } ]
given."staging.row_rules" = [
  { source = "s", row_rule_id = "1", model_id = "m", table_name = "T", column_name = "C", effect = "everything" },
  { source = "s", row_rule_id = "2", model_id = "m", table_name = "T", column_name = "C", effect = "allow" },
  { source = "s", row_rule_id = "3", model_id = "m", table_name = "T", column_name = "D", effect = "nothing" },
]
given."staging.row_rule_values" = [ { source = "s", row_rule_id = "2", value_hash = "1" } ]
given."staging.row_rule_parties" = [
  { source = "s", row_rule_id = "1", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "2", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "2", party_type = "unknown", party_id = "x" },
  { source = "s", row_rule_id = "3", party_type = "user", party_id = "a" },
]
given."graph.unclear_columns" = [
  { source = "s", model_id = "m", table_name = "T", column_name = "C" },
  { source = "s", model_id = "m", table_name = "T", column_name = "D" },
]
expect = [
  { column_name = "C", own_access = "not_known", group_access = "not_known", access = "not_known", value_count = "<null>", is_wider = false },
  { column_name = "D", own_access = "nothing", group_access = "<null>", access = "nothing", is_wider = false },
]
*/
