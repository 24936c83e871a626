-- What does the current build show of every change that was made?
with

made as (
    select * from review.changes where state in ('applied', 'unclear', 'failed')
),

judged as (
    select
        made.change_id, made.verified_state as before,
        case
            when snapshot.completeness <> 'FULL' or source.error is not null or source.source is null then null
            when account.account_id is null then made.action in ('deactivate', 'change_role', 'remove_from_groups')
            when made.action = 'deactivate' then
                case account.status when 'unknown' then null else account.status <> 'active' end
            when made.action = 'activate' then
                case account.status when 'unknown' then null else account.status = 'active' end
            when made.action in ('change_role', 'restore_role') then account.role_id = made.request ->> 'roleId'
            when made.action in ('remove_from_groups', 'restore_groups') then not exists (
                select 1
                from graph.memberships as membership
                where
                    membership.source = made.source and membership.account_id = made.account_id
                    and list_contains(cast(made.previous -> 'groups' as varchar[]), membership.group_id)
                    and not list_contains(cast(made.request -> 'groups' as varchar[]), membership.group_id)
            )
        end as holds
    from made
    cross join reference.snapshot as snapshot
    left join meta.sources as source on source.snapshot_id = snapshot.snapshot_id and source.source = made.source
    left join graph.accounts as account on account.source = made.source and account.account_id = made.account_id
    -- what was set back later is judged by the change that set it back
    where snapshot.started_at >= made.applied_at and not exists (
        select 1
        from review.changes as later
        where
            later.source = made.source and later.account_id = made.account_id and later.applied_at > made.applied_at
            and later.state = 'applied' and later.action in ('activate', 'restore_role', 'restore_groups')
    )
)

select
    change_id,
    case
        when holds is null then 'not_verifiable'
        when holds then 'removed_verified'
        when before in ('removed_verified', 'reappeared') then 'reappeared'
        else 'still_present'
    end as verified_state
from judged
order by change_id
