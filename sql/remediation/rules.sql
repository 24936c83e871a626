-- Which active accounts have an open finding of rules that ask to deactivate them?
-- $rules: a list of rule ids
select
    finding.source, finding.account_id, 'deactivate' as action, finding.detail as reason, finding.finding_id,
    coalesce(source.is_from_files, false) and protected.reason is null as is_task,
    case when source.is_from_files then 'left_out' end as outcome,
    case when source.is_from_files
        then coalesce(protected.reason, 'the application is changed by hand: see the task list') end as left_out_because,
    false as may_be_named
from findings.register as finding
left join graph.sources as source on source.source = finding.source
left join reports.protected_accounts as protected
    on protected.source = finding.source and protected.account_id = finding.account_id
where finding.status = 'open' and list_contains($rules, finding.rule_id)
    and (finding.source, finding.account_id) in (select (source, account_id) from graph.accounts where status = 'active')
qualify row_number() over (
    partition by finding.source, finding.account_id order by finding.rule_id, finding.finding_id
) = 1
order by finding.source, finding.account_id
