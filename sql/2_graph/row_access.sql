/*
summary = "The rows of one data model that the rules for one of its columns let one account, one group or everybody else see. The most restrictive combination applies."
reads   = ["staging.models", "staging.row_rules", "staging.row_rule_values", "staging.row_rule_parties", "graph.unclear_columns"]
grain   = ["source", "model_id", "table_name", "column_name", "granted_to_type", "granted_to_id"]

[columns]
source          = "varchar: the source's name in the configuration"
model_id        = "varchar: the model"
table_name      = "varchar: the table; empty if the rules of the model could not be read"
column_name     = "varchar: the column that rows are filtered by; empty if the rules of the model could not be read"
granted_to_type = "varchar: account, group, or default (accounts that no rule for the column names, themselves or through a group)"
granted_to_id   = "varchar: the account or group; empty for default"
access          = "varchar: everything, nothing, some (only rows with one of value_count values), all_but (all rows but those) or not_known"
value_count     = "bigint: number of values for some and all_but, else null"
*/
with

rules_by_party as (
    select distinct
        rule.source, rule.row_rule_id, rule.model_id, coalesce(rule.table_name, '') as table_name,
        coalesce(rule.column_name, '') as column_name, coalesce(rule.effect, 'unknown') as effect,
        case party.party_type when 'user' then 'account' else party.party_type end as granted_to_type,
        case party.party_type when 'default' then '' else party.party_id end as granted_to_id
    from staging.row_rules as rule
    join staging.row_rule_parties as party on party.source = rule.source and party.row_rule_id = rule.row_rule_id
    where party.party_type = 'default' or (party.party_type in ('user', 'group') and party.party_id <> '')
),

-- A rule for an unknown party may be for any of them. It may also replace a default that hides everything.
applicable_rules as (
    select rule.*
    from rules_by_party as rule
    left join graph.unclear_columns as unclear
        on unclear.source = rule.source and unclear.model_id = rule.model_id
        and unclear.table_name = rule.table_name and unclear.column_name = rule.column_name
    where rule.granted_to_type <> 'default' or unclear.source is null
    union all
    select distinct
        unclear.source, '', unclear.model_id, unclear.table_name, unclear.column_name, 'unknown',
        rule.granted_to_type, rule.granted_to_id
    from graph.unclear_columns as unclear
    join rules_by_party as rule
        on rule.source = unclear.source and rule.model_id = unclear.model_id
        and rule.table_name = unclear.table_name and rule.column_name = unclear.column_name
    where rule.granted_to_type <> 'default'
    union all
    select source, '', model_id, table_name, column_name, 'unknown', 'default', '' from graph.unclear_columns
),

effects as (
    select
        source, model_id, table_name, column_name, granted_to_type, granted_to_id,
        bool_or(effect = 'nothing') as has_nothing,
        bool_or(effect not in ('everything', 'nothing', 'allow', 'block')) as has_unknown,
        bool_or(effect = 'allow') as has_allow,
        bool_or(effect = 'block') as has_block
    from applicable_rules
    group by source, model_id, table_name, column_name, granted_to_type, granted_to_id
),

rule_values as (
    select
        rule.source, rule.model_id, rule.table_name, rule.column_name, rule.granted_to_type, rule.granted_to_id,
        member.value_hash,
        bool_or(rule.effect = 'allow') as is_allowed,
        bool_or(rule.effect = 'block') as is_blocked
    from applicable_rules as rule
    join staging.row_rule_values as member on member.source = rule.source and member.row_rule_id = rule.row_rule_id
    where rule.effect in ('allow', 'block')
    group by
        rule.source, rule.model_id, rule.table_name, rule.column_name, rule.granted_to_type, rule.granted_to_id,
        member.value_hash
),

value_counts as (
    select
        source, model_id, table_name, column_name, granted_to_type, granted_to_id,
        count(*) filter (where is_allowed and not is_blocked) as seen,
        count(*) filter (where is_blocked) as hidden
    from rule_values
    group by source, model_id, table_name, column_name, granted_to_type, granted_to_id
),

results as (
    select
        effects.source, effects.model_id, effects.table_name, effects.column_name, effects.granted_to_type,
        effects.granted_to_id, counts.seen, counts.hidden,
        case
            when effects.has_nothing then 'nothing'
            when effects.has_unknown then 'not_known'
            when effects.has_allow and coalesce(counts.seen, 0) = 0 then 'nothing'
            when effects.has_allow then 'some'
            when effects.has_block and counts.hidden > 0 then 'all_but'
            else 'everything'
        end as access
    from effects
    left join value_counts as counts
        on counts.source = effects.source and counts.model_id = effects.model_id
        and counts.table_name = effects.table_name and counts.column_name = effects.column_name
        and counts.granted_to_type = effects.granted_to_type and counts.granted_to_id = effects.granted_to_id
)

select
    source,
    model_id,
    table_name,
    column_name,
    granted_to_type,
    granted_to_id,
    access,
    case access when 'some' then seen when 'all_but' then hidden end as value_count
from results
union all
-- A model whose rules could not be read may hide anything.
select source, model_id, '', '', 'default', '', 'not_known', null
from staging.models
where not has_row_rules

/* example
name = "the nine combinations of the documentation"
given."staging.row_rules" = [
  { source = "s", row_rule_id = "0a", model_id = "m", table_name = "T", column_name = "everything", effect = "everything" },
  { source = "s", row_rule_id = "1a", model_id = "m", table_name = "T", column_name = "nothing", effect = "nothing" },
  { source = "s", row_rule_id = "2a", model_id = "m", table_name = "T", column_name = "everything and nothing", effect = "everything" },
  { source = "s", row_rule_id = "2b", model_id = "m", table_name = "T", column_name = "everything and nothing", effect = "nothing" },
  { source = "s", row_rule_id = "3a", model_id = "m", table_name = "T", column_name = "allow 1 and nothing", effect = "allow" },
  { source = "s", row_rule_id = "3b", model_id = "m", table_name = "T", column_name = "allow 1 and nothing", effect = "nothing" },
  { source = "s", row_rule_id = "4a", model_id = "m", table_name = "T", column_name = "everything and allow 1", effect = "everything" },
  { source = "s", row_rule_id = "4b", model_id = "m", table_name = "T", column_name = "everything and allow 1", effect = "allow" },
  { source = "s", row_rule_id = "5a", model_id = "m", table_name = "T", column_name = "everything and block 1", effect = "everything" },
  { source = "s", row_rule_id = "5b", model_id = "m", table_name = "T", column_name = "everything and block 1", effect = "block" },
  { source = "s", row_rule_id = "6a", model_id = "m", table_name = "T", column_name = "allow 1 2 and block 1", effect = "allow" },
  { source = "s", row_rule_id = "6b", model_id = "m", table_name = "T", column_name = "allow 1 2 and block 1", effect = "block" },
  { source = "s", row_rule_id = "7a", model_id = "m", table_name = "T", column_name = "allow 1 and allow 2", effect = "allow" },
  { source = "s", row_rule_id = "7b", model_id = "m", table_name = "T", column_name = "allow 1 and allow 2", effect = "allow" },
  { source = "s", row_rule_id = "8a", model_id = "m", table_name = "T", column_name = "block 1 and block 2", effect = "block" },
  { source = "s", row_rule_id = "8b", model_id = "m", table_name = "T", column_name = "block 1 and block 2", effect = "block" },
]
given."staging.row_rule_parties" = [
  { source = "s", row_rule_id = "0a", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "1a", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "2a", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "2b", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "3a", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "3b", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "4a", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "4b", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "5a", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "5b", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "6a", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "6b", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "7a", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "7b", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "8a", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "8b", party_type = "group", party_id = "g" },
]
given."staging.row_rule_values" = [
  { source = "s", row_rule_id = "3a", value_hash = "1" },
  { source = "s", row_rule_id = "4b", value_hash = "1" },
  { source = "s", row_rule_id = "5b", value_hash = "1" },
  { source = "s", row_rule_id = "6a", value_hash = "1" },
  { source = "s", row_rule_id = "6a", value_hash = "2" },
  { source = "s", row_rule_id = "6b", value_hash = "1" },
  { source = "s", row_rule_id = "7a", value_hash = "1" },
  { source = "s", row_rule_id = "7b", value_hash = "2" },
  { source = "s", row_rule_id = "8a", value_hash = "1" },
  { source = "s", row_rule_id = "8b", value_hash = "2" },
]
expect = [
  { column_name = "everything", granted_to_type = "group", granted_to_id = "g", access = "everything", value_count = "<null>" },
  { column_name = "nothing", granted_to_type = "group", granted_to_id = "g", access = "nothing", value_count = "<null>" },
  { column_name = "everything and nothing", granted_to_type = "group", granted_to_id = "g", access = "nothing", value_count = "<null>" },
  { column_name = "allow 1 and nothing", granted_to_type = "group", granted_to_id = "g", access = "nothing", value_count = "<null>" },
  { column_name = "everything and allow 1", granted_to_type = "group", granted_to_id = "g", access = "some", value_count = 1 },
  { column_name = "everything and block 1", granted_to_type = "group", granted_to_id = "g", access = "all_but", value_count = 1 },
  { column_name = "allow 1 2 and block 1", granted_to_type = "group", granted_to_id = "g", access = "some", value_count = 1 },
  { column_name = "allow 1 and allow 2", granted_to_type = "group", granted_to_id = "g", access = "some", value_count = 2 },
  { column_name = "block 1 and block 2", granted_to_type = "group", granted_to_id = "g", access = "all_but", value_count = 2 },
]
*/
/* example
name = "allowing and blocking the same value leaves nothing; a rule that cannot be read is not known, unless another hides everything"
given."staging.row_rules" = [
  { source = "s", row_rule_id = "0a", model_id = "m", table_name = "T", column_name = "allow 1 and block 1", effect = "allow" },
  { source = "s", row_rule_id = "0b", model_id = "m", table_name = "T", column_name = "allow 1 and block 1", effect = "block" },
  { source = "s", row_rule_id = "1a", model_id = "m", table_name = "T", column_name = "unknown and everything", effect = "unknown" },
  { source = "s", row_rule_id = "1b", model_id = "m", table_name = "T", column_name = "unknown and everything", effect = "everything" },
  { source = "s", row_rule_id = "2a", model_id = "m", table_name = "T", column_name = "unknown and nothing", effect = "unknown" },
  { source = "s", row_rule_id = "2b", model_id = "m", table_name = "T", column_name = "unknown and nothing", effect = "nothing" },
]
given."staging.row_rule_parties" = [
  { source = "s", row_rule_id = "0a", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "0b", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "1a", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "1b", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "2a", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "2b", party_type = "group", party_id = "g" },
]
given."staging.row_rule_values" = [
  { source = "s", row_rule_id = "0a", value_hash = "1" },
  { source = "s", row_rule_id = "0b", value_hash = "1" },
]
expect = [
  { column_name = "allow 1 and block 1", granted_to_type = "group", granted_to_id = "g", access = "nothing", value_count = "<null>" },
  { column_name = "unknown and everything", granted_to_type = "group", granted_to_id = "g", access = "not_known", value_count = "<null>" },
  { column_name = "unknown and nothing", granted_to_type = "group", granted_to_id = "g", access = "nothing", value_count = "<null>" },
]
*/
/* example
name = "accounts, groups and the default have results of their own; sources, models and columns do not mix; unread rules are not known"
given."staging.models" = [
  { source = "s", model_id = "m", has_row_rules = true }, { source = "s", model_id = "unread", has_row_rules = false },
]
given."staging.row_rules" = [
  { source = "s", row_rule_id = "1", model_id = "m", table_name = "T", column_name = "C", effect = "allow" },
  { source = "s", row_rule_id = "2", model_id = "m", table_name = "T", column_name = "C", effect = "block" },
  { source = "s", row_rule_id = "3", model_id = "n", table_name = "T", column_name = "C", effect = "everything" },
  { source = "t", row_rule_id = "1", model_id = "m", table_name = "T", column_name = "C", effect = "block" },
]
given."staging.row_rule_values" = [
  { source = "s", row_rule_id = "1", value_hash = "x" }, { source = "s", row_rule_id = "1", value_hash = "y" },
  { source = "s", row_rule_id = "2", value_hash = "x" }, { source = "t", row_rule_id = "1", value_hash = "z" },
]
given."staging.row_rule_parties" = [
  { source = "s", row_rule_id = "1", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "1", party_type = "group", party_id = "a" },
  { source = "s", row_rule_id = "2", party_type = "group", party_id = "a" },
  { source = "s", row_rule_id = "2", party_type = "default" },
  { source = "s", row_rule_id = "3", party_type = "user", party_id = "a" },
  { source = "t", row_rule_id = "1", party_type = "user", party_id = "a" },
]
expect = [
  { source = "s", model_id = "m", granted_to_type = "account", granted_to_id = "a", access = "some", value_count = 2 },
  { source = "s", model_id = "m", granted_to_type = "group", granted_to_id = "a", access = "some", value_count = 1 },
  { source = "s", model_id = "m", granted_to_type = "default", granted_to_id = "", access = "all_but", value_count = 1 },
  { source = "s", model_id = "n", granted_to_type = "account", granted_to_id = "a", access = "everything", value_count = "<null>" },
  { source = "t", model_id = "m", granted_to_type = "account", granted_to_id = "a", access = "all_but", value_count = 1 },
  { source = "s", model_id = "unread", granted_to_type = "default", granted_to_id = "", access = "not_known", value_count = "<null>" },
]
*/
/* example
name = "a rule for an unknown party makes what it may restrict not known; an account that sees nothing still sees nothing; other columns keep their result"
given."staging.row_rules" = [
  { source = "s", row_rule_id = "1", model_id = "m", table_name = "T", column_name = "C", effect = "everything" },
  { source = "s", row_rule_id = "2", model_id = "m", table_name = "T", column_name = "C", effect = "nothing" },
  { source = "s", row_rule_id = "3", model_id = "m", table_name = "T", column_name = "C", effect = "allow" },
  { source = "s", row_rule_id = "4", model_id = "m", table_name = "T", column_name = "D", effect = "everything" },
  { source = "s", row_rule_id = "5", model_id = "m", table_name = "T", column_name = "alone", effect = "allow" },
]
given."staging.row_rule_parties" = [
  { source = "s", row_rule_id = "1", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "2", party_type = "user", party_id = "a" },
  { source = "s", row_rule_id = "2", party_type = "default" },
  { source = "s", row_rule_id = "3", party_type = "unknown", party_id = "x" },
  { source = "s", row_rule_id = "4", party_type = "group", party_id = "g" },
  { source = "s", row_rule_id = "5", party_type = "unknown" },
]
given."graph.unclear_columns" = [
  { source = "s", model_id = "m", table_name = "T", column_name = "C" },
  { source = "s", model_id = "m", table_name = "T", column_name = "alone" },
]
expect = [
  { column_name = "C", granted_to_type = "group", granted_to_id = "g", access = "not_known", value_count = "<null>" },
  { column_name = "C", granted_to_type = "account", granted_to_id = "a", access = "nothing" },
  { column_name = "C", granted_to_type = "default", granted_to_id = "", access = "not_known" },
  { column_name = "D", granted_to_type = "group", granted_to_id = "g", access = "everything" },
  { column_name = "alone", granted_to_type = "default", granted_to_id = "", access = "not_known" },
]
*/
