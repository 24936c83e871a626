-- Which earlier findings have the ids of findings of the build?
-- $snapshot_id: the snapshot of the build
select * from history.register
where snapshot_id < $snapshot_id and finding_id in (select finding_id from findings.register)
