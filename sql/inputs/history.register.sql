-- Which earlier findings does a build compare its own with: those of the same ids, and those that the last report had?
-- $snapshot_id: the snapshot of the build
select * from history.register
where
    snapshot_id < $snapshot_id and finding_id in (
        select finding_id from findings.register
        union all
        select finding_id from history.register where snapshot_id = (select max(snapshot_id) from baseline.reports)
    )
