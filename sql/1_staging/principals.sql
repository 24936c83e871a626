/*
summary = "The account that the extract used to read one source."
reads   = ["meta.sources"]
grain   = ["source"]

[columns]
source        = "varchar: the source's name in the configuration"
account_id    = "varchar: its id; null if the source does not report it"
user_name_key = "varchar: its user name, normalised for comparison"
*/
select source, principal_account_id as account_id, match_key(principal_user_name) as user_name_key
from meta.sources
where snapshot_id = $snapshot_id
