-- Which review campaigns does a build know?
-- $snapshot_id: the snapshot of the build; campaigns over it or a later one are not known to it
-- $finished_at: when that extract ended; what happened later is not known to the build
select * from review.campaigns
where campaign in (select campaign from review.campaigns where snapshot_id < $snapshot_id and opened_at <= $finished_at)
