-- What did signed-off reviews revoke, and which complete snapshot since is the first without it?
-- $snapshot_id: the snapshot being built; later ones are ignored
-- $finished_at: when its extract ended; later sign-offs are ignored
with

revoked_items as (
    select items.*, decisions.decision, sign_offs.signed_at
    from review.sign_offs as sign_offs
    join review.items as items on items.campaign = sign_offs.campaign and items.exclusion_reason is null
    join review.decisions as decisions
        on decisions.campaign = items.campaign and decisions.item_id = items.item_id
    where sign_offs.snapshot_id < $snapshot_id and sign_offs.signed_at <= $finished_at
    qualify decisions.sequence = max(decisions.sequence) over (partition by items.campaign, items.item_id)
        and decisions.decision in ('remove', 'reduce')
),

-- A pruned snapshot has no history left, so it cannot show that something is absent.
complete_snapshots as (
    select snapshots.snapshot_id, snapshots.started_at, sources.source
    from meta.snapshots as snapshots
    join meta.sources as sources on sources.snapshot_id = snapshots.snapshot_id
    where snapshots.completeness = 'FULL' and snapshots.snapshot_id < $snapshot_id
        and exists (
            select 1 from history.accounts as accounts
            where accounts.snapshot_id = snapshots.snapshot_id and accounts.source = sources.source
        )
),

-- Only the accounts with revoked items, because history is large. A removed role is absent when the account is deleted
-- or inactive; a reduced role is absent when the account has another one.
held_entitlements as (
    select member.snapshot_id, member.source, member.account_id, 'group' as entitlement_type, member.group_id as entitlement_id,
        true as is_on
    from history.memberships as member
    semi join revoked_items as revoked on revoked.source = member.source and revoked.account_id = member.account_id
    where member.seen_in <> 'file'
    union all
    -- Of an application that is read from files, each entitlement has a type of its own.
    select held.snapshot_id, held.source, held.account_id, held.entitlement_type, held.entitlement_id, true
    from history.grants as held
    join history.memberships as member
        on member.snapshot_id = held.snapshot_id and member.source = held.source and member.account_id = held.account_id
        and member.group_id = held.entitlement_id and member.seen_in = 'file'
    semi join revoked_items as revoked on revoked.source = held.source and revoked.account_id = held.account_id
    union all
    select account.snapshot_id, account.source, account.account_id, 'role', account.role_id,
        account.status in ('active', 'unknown')
    from history.accounts as account
    semi join revoked_items as revoked on revoked.source = account.source and revoked.account_id = account.account_id
    union all
    -- A field that could not be read may have held the entitlement.
    select account.snapshot_id, account.source, account.account_id, revoked.entitlement_type, revoked.entitlement_id, true
    from history.accounts as account
    join revoked_items as revoked on revoked.source = account.source and revoked.account_id = account.account_id
    where list_contains(
        account.unreadable_fields, case revoked.entitlement_type when 'group' then 'groups' else 'roleId' end
    )
)

select revoked.campaign, revoked.item_id, min(extracts.snapshot_id) as first_absent_snapshot_id
from revoked_items as revoked
join complete_snapshots as extracts on extracts.source = revoked.source and extracts.started_at >= revoked.signed_at
left join held_entitlements as held
    on held.snapshot_id = extracts.snapshot_id and held.source = revoked.source
    and held.account_id = revoked.account_id and held.entitlement_type = revoked.entitlement_type
    and held.entitlement_id = revoked.entitlement_id and (held.is_on or revoked.decision = 'reduce')
where held.account_id is null
group by revoked.campaign, revoked.item_id
