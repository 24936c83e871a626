-- Adds a campaign over the current build
-- $campaign: the campaign's name
-- $scope: all, privileged, external, flagged or changed
-- $reviewers: owner, manager or e-mail addresses, in the order in which they are chosen
-- $due_on: last day for decisions, or null
-- $opened_at: now
insert into review.campaigns by name
select
    $campaign as campaign, snapshot.snapshot_id, snapshot.build_id, snapshot.as_of, $scope as scope,
    $reviewers::varchar[] as reviewers, $due_on::date as due_on, $opened_at::timestamp as opened_at,
    (select count(distinct item_id) from reports.access) as snapshot_items,
    (select count(*) from reports.population) as snapshot_accounts
from reference.snapshot as snapshot
