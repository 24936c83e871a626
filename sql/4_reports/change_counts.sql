/*
summary = "One kind of change since the baseline with its number; no rows without a baseline."
reads   = ["reports.changes", "baseline.snapshot"]
grain   = ["object_kind", "change"]

[columns]
position    = "integer: place in the list"
object_kind = "varchar: account, membership, role or group"
change      = "varchar: what happened, as in changes.csv"
label       = "varchar: text for readers"
changes     = "bigint: number of changes"
gained      = "bigint: changes that granted or raised privilege"
lost        = "bigint: changes that removed or lowered privilege"
*/
with

-- Each kind is a row of its own, even if there was no such change.
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

counts as (
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
    coalesce(kinds.object_kind, counts.object_kind) as object_kind,
    coalesce(kinds.change, counts.change) as change,
    coalesce(kinds.label, counts.object_kind || ' ' || counts.change) as label,
    coalesce(counts.changes, 0) as changes,
    coalesce(counts.gained, 0) as gained,
    coalesce(counts.lost, 0) as lost
from kinds
-- Unlisted kinds are shown too, so that the total equals that of changes.csv.
full outer join counts on counts.object_kind = kinds.object_kind and counts.change = kinds.change
where exists (select 1 from baseline.snapshot)

/* example
name = "without a baseline there are no rows"
given."reports.changes" = []
expect = []
*/
