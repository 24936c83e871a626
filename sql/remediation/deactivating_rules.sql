-- Which rules ask to switch the account off, so that a plan can be made of their findings?
select rule_id
from (values ('stale_account'), ('stale_privileged_account'), ('never_logged_in'), ('leaver_active'),
    ('orphaned_account'), ('contract_expired')) as rules (rule_id)
order by rule_id
