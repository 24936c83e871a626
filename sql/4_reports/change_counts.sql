/*
summary = "One kind of change since the baseline, and how many there were; no row without a baseline."
reads   = ["reports.changes", "baseline.snapshot"]
grain   = ["object_kind", "change"]

[columns]
position    = "integer: place in the list"
object_kind = "varchar: account, membership, role or group"
change      = "varchar: what happened, as in changes.csv"
label       = "varchar: what people read"
changes     = "bigint: how many"
gained      = "bigint: those that gave or raised privilege"
lost        = "bigint: those that took or lowered it"
*/
with

-- Each kind is a row of its own, also when it did not happen.
kinds as (
    select * from (values
        (1, 'account', 'joiner', 'accounts joined'),
        (2, 'account', 'leaver', 'accounts left'),
        (3, 'account', 'new_privileged', 'accounts now privileged'),
        (4, 'account', 'privilege_lost', 'accounts no longer privileged'),
        (5, 'account', 'role_changed', 'accounts with another role'),
        (6, 'account', 'activated', 'invitations accepted'),
        (7, 'account', 'reactivated', 'accounts reactivated'),
        (8, 'account', 'deactivated', 'accounts deactivated'),
        (9, 'account', 'status_changed', 'other changes of status'),
        (10, 'account', 'changed', 'changes of name, e-mail or person'),
        (11, 'membership', 'added', 'group memberships added'),
        (12, 'membership', 'removed', 'group memberships removed'),
        (13, 'role', 'added', 'roles added'),
        (14, 'role', 'removed', 'roles removed'),
        (15, 'role', 'changed', 'changes of roles'),
        (16, 'group', 'added', 'groups added'),
        (17, 'group', 'removed', 'groups removed'),
        (18, 'group', 'changed', 'changes of groups')
    ) as kind(position, object_kind, change, label)
),

counted as (
    select
        object_kind,
        change,
        count(*) as changes,
        count(*) filter (where privileged_effect in ('gained', 'raised')) as gained,
        count(*) filter (where privileged_effect in ('lost', 'lowered')) as lost
    from reports.changes
    group by object_kind, change
)

select
    cast(coalesce(kinds.position, 99) as integer) as position,
    coalesce(kinds.object_kind, counted.object_kind) as object_kind,
    coalesce(kinds.change, counted.change) as change,
    coalesce(kinds.label, counted.object_kind || ' ' || counted.change) as label,
    coalesce(counted.changes, 0) as changes,
    coalesce(counted.gained, 0) as gained,
    coalesce(counted.lost, 0) as lost
from kinds
-- a kind that is not in the list is shown too, so that the sum is that of changes.csv
full outer join counted on counted.object_kind = kinds.object_kind and counted.change = kinds.change
where exists (select 1 from baseline.snapshot)
order by position, object_kind, change

/* example
name = "without a baseline there is nothing to count"
given."reports.changes" = []
expect = []
*/
