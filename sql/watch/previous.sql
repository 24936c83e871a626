-- With which snapshot is a source's next complete one compared? No row: the source's log begins with it.
-- $source: the source's name in the configuration
-- $snapshot_id: the snapshot to compare
select snapshot_id
from meta.last_compared
where source = $source and snapshot_id <> $snapshot_id
order by recorded_at desc, snapshot_id desc
limit 1
