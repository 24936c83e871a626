-- Which rules ask to deactivate the accounts that they find?
select rule_id from reference.rules where deactivates order by rule_id
