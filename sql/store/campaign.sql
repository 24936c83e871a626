-- The facts of the campaign
select name, organization, snapshot_id, scope, opened_at, due_on, closed_at from campaign
