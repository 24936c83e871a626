-- Which reassignments does a build use?
-- $snapshot_id: the snapshot of the build; campaigns over it or a later one are left out
-- $finished_at: when that extract ended; later campaigns and reassignments are left out
select * from review.reassignments
where
    imported_at <= $finished_at
    and campaign in (select campaign from review.campaigns where snapshot_id < $snapshot_id and opened_at <= $finished_at)
