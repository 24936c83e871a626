/*
summary = "One tenant of a server that several organisations share."
reads   = ["raw.tenants"]
grain   = ["source", "tenant_id"]

[columns]
source    = "varchar: the source's name in the configuration"
tenant_id = "varchar: the source's own id"
name      = "varchar: the name, trimmed"
*/
select source, payload ->> '$._id' as tenant_id, any_value(trimmed(payload ->> '$.name')) as name
from raw.tenants
where snapshot_id = $snapshot_id and is_accepted and payload ->> '$._id' is not null
group by source, payload ->> '$._id'

/* example
name = "each tenant counts once"
given."raw.tenants" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"_id":"t","name":" system "}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = true, payload = '{"_id":"t","name":"system"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 3, is_accepted = true, payload = '{"name":"no id"}' },
]
expect = [ { tenant_id = "t", name = "system" } ]
*/
