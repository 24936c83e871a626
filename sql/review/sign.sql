-- Records the sign-off of a campaign
-- $campaign: the campaign's name
-- $snapshot_id: its snapshot, which becomes the baseline
-- $signed_by: name of the person who signs
-- $signed_email: their e-mail address
-- $signed_role: their role
-- $signed_at: now
-- $sealed_folder: name of the sealed folder
-- $manifest_sha256: hash of its manifest
insert into review.sign_offs by name
select
    $campaign as campaign, $snapshot_id as snapshot_id, $signed_by as signed_by, $signed_email as signed_email,
    $signed_role as signed_role, $signed_at::timestamp as signed_at, $sealed_folder as folder,
    $manifest_sha256 as manifest_sha256
