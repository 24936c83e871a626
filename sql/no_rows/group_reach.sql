-- Why does the query of a group's members return no rows?
-- $group: the group's name or id
select
    case
        when exists (select 1 from graph.groups where lower(group_name) = lower($group) or group_id = $group)
            then 'the group has no members'
        else 'no group has this name or id: ' || $group
    end as reason
