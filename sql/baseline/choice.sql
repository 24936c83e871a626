-- Which earlier snapshot is the default baseline? It must be FULL, built, and have all Sisense sources of the snapshot.
-- $snapshot_id: the snapshot being built
-- $finished_at: when its extract ended; later sign-offs are ignored
with

-- A source missing from the baseline would make all its accounts look new. A directory has no accounts to compare.
compared_sources as (
    select source from meta.sources where snapshot_id = $snapshot_id and kind = 'sisense'
),

candidates as (
    select snapshots.snapshot_id
    from meta.snapshots as snapshots
    where
        snapshots.snapshot_id < $snapshot_id and snapshots.completeness = 'FULL'
        and exists (select 1 from history.accounts as accounts where accounts.snapshot_id = snapshots.snapshot_id)
        and not exists (
            select 1 from compared_sources
            where compared_sources.source not in (
                select sources.source from meta.sources as sources where sources.snapshot_id = snapshots.snapshot_id
            )
        )
)

-- The newest signed-off snapshot, else the newest of all.
select candidates.snapshot_id
from candidates
left join review.sign_offs as sign_offs
    on sign_offs.snapshot_id = candidates.snapshot_id and sign_offs.signed_at <= $finished_at
order by sign_offs.snapshot_id is not null desc, candidates.snapshot_id desc
limit 1
