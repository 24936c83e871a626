-- Which active accounts have an open finding of rules that ask to deactivate them?
-- $rules: a list of rule ids
select source, account_id, 'deactivate' as action, detail as reason, finding_id
from findings.register
where status = 'open' and list_contains($rules, rule_id)
    and (source, account_id) in (select (source, account_id) from graph.accounts where status = 'active')
qualify row_number() over (partition by source, account_id order by rule_id, finding_id) = 1
order by source, account_id
