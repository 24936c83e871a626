/*
summary = "One account id of the accepted user records, and how many records have it."
reads   = ["landed.users"]
*/
select source, account_id, count(*) as record_count
from landed.users
where account_id is not null
group by source, account_id
