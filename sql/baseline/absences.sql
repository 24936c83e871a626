-- What did signed-off reviews take away, and which complete extract since was the first that no longer had it?
-- $snapshot_id: the extract that is built; later ones count for nothing
-- $finished_at: when it ended; what was signed off later counts for nothing
with

revoked as (
    select items.*, decisions.decision, sign_offs.signed_at
    from review.sign_offs as sign_offs
    join review.items as items on items.campaign = sign_offs.campaign and items.exclusion_reason is null
    join review.decisions as decisions
        on decisions.campaign = items.campaign and decisions.item_id = items.item_id
    where sign_offs.snapshot_id < $snapshot_id and sign_offs.signed_at <= $finished_at
    qualify decisions.sequence = max(decisions.sequence) over (partition by items.campaign, items.item_id)
        and decisions.decision in ('remove', 'reduce')
),

-- An extract whose history was pruned proves nothing.
extracts as (
    select snapshots.snapshot_id, snapshots.started_at, sources.source
    from meta.snapshots as snapshots
    join meta.sources as sources on sources.snapshot_id = snapshots.snapshot_id
    where snapshots.completeness = 'FULL' and snapshots.snapshot_id < $snapshot_id
        and exists (
            select 1 from history.accounts as accounts
            where accounts.snapshot_id = snapshots.snapshot_id and accounts.source = sources.source
        )
),

-- What the accounts in question held in each extract, and no more of history than that. A role is gone with its account,
-- or when the account is switched off; reduced it is gone when the account has another one.
held as (
    select member.snapshot_id, member.source, member.account_id, 'group' as entitlement_type, member.group_id as entitlement_id,
        true as is_on
    from history.memberships as member
    semi join revoked on revoked.source = member.source and revoked.account_id = member.account_id
    union all
    select account.snapshot_id, account.source, account.account_id, 'role', account.role_id,
        account.status in ('active', 'unknown')
    from history.accounts as account
    semi join revoked on revoked.source = account.source and revoked.account_id = account.account_id
    union all
    -- What could not be read may have been there.
    select account.snapshot_id, account.source, account.account_id, revoked.entitlement_type, revoked.entitlement_id, true
    from history.accounts as account
    join revoked on revoked.source = account.source and revoked.account_id = account.account_id
    where list_contains(
        account.unreadable_fields, case revoked.entitlement_type when 'group' then 'groups' else 'roleId' end
    )
)

select revoked.campaign, revoked.item_id, min(extracts.snapshot_id) as first_absent_snapshot_id
from revoked
join extracts on extracts.source = revoked.source and extracts.started_at >= revoked.signed_at
left join held
    on held.snapshot_id = extracts.snapshot_id and held.source = revoked.source
    and held.account_id = revoked.account_id and held.entitlement_type = revoked.entitlement_type
    and held.entitlement_id = revoked.entitlement_id and (held.is_on or revoked.decision = 'reduce')
where held.account_id is null
group by revoked.campaign, revoked.item_id
