-- What became of the changes made in a source: those that need attention first, then the newest?
select *
from reports.remediation
order by
    list_position(['reappeared', 'still_present', 'not_verifiable', 'removed_verified'], verdict),
    applied_at desc, source, account_id, change_id
