-- Which earlier findings does a build look its own findings up in?
-- $snapshot_id: the snapshot of the build
select * from history.register
where snapshot_id < $snapshot_id and finding_id in (select finding_id from findings.register)
