-- The tables of the file in which the reviewers of one campaign decide. Times are text in UTC, as
-- 2026-11-29T12:00:00.000000; days are text, as 2026-11-29. What people decide is only ever added.

create table campaign (
    name text not null,
    organization text not null,
    snapshot_id text not null,
    scope text not null,
    opened_at text not null,
    due_on text,
    closed_at text
) strict;

create table roles (
    source text not null,
    name text not null,
    rank integer,
    is_shown integer not null,
    primary key (source, name)
) strict, without rowid;

create table cards (
    card_id text primary key,
    position integer not null,
    name text not null,
    title text,
    department text,
    manager_email text,
    email text,
    status text,
    last_seen text,
    findings text not null,
    risk text,
    searched text not null
) strict;
create index cards_by_position on cards (position, card_id);

create table items (
    item_id text primary key,
    card_id text not null references cards (card_id),
    position integer not null,
    source text not null,
    account_id text not null,
    user_name text,
    email text,
    entitlement_type text not null,
    entitlement_id text not null,
    name text not null,
    permission_level text not null,
    allows text,
    opens text,
    path text,
    risk text not null,
    findings text not null,
    conflict text,
    conflict_with text not null,
    peers text,
    change text,
    recommendation text,
    recommendation_reason text,
    prior_decision text,
    attention integer not null,
    person_id text,
    original_reviewer text not null,
    -- The newest reassignment and the newest decision; the triggers below keep them.
    reviewer text not null,
    held integer
) strict;
create index items_by_card on items (card_id, reviewer);
-- These hold all that the counts and the filters of a reviewer need.
create index items_by_attention on items (reviewer, attention, risk, held);
create index items_by_name on items (reviewer, entitlement_type, name);

-- Addresses under which the holders of an account are known, and of people who have left.
create table ineligible (
    address text not null,
    item_id text,
    unique (item_id, address)
) strict;

create table decisions (
    sequence integer primary key,
    decision_id text not null unique,
    item_id text not null references items (item_id),
    decision text not null,
    reason text,
    target_role text,
    defer_until text,
    approver text,
    expires_on text,
    reviewer text not null,
    method text not null,
    is_bulk integer not null,
    decided_from text,
    decided_at text,
    recorded_at text not null,
    undoes text unique references decisions (decision_id),
    action_id text not null,
    file_name text,
    file_sha256 text
) strict;
create index decisions_by_item on decisions (item_id, sequence);
create index decisions_by_reviewer on decisions (reviewer, sequence);
create index decisions_by_action on decisions (action_id);
create index decisions_by_file on decisions (file_sha256, item_id) where file_sha256 is not null;

create table reassignments (
    sequence integer primary key,
    reassignment_id text not null unique,
    item_id text not null references items (item_id),
    from_email text not null,
    to_email text not null,
    reason text not null,
    reassigned_by text not null,
    reassigned_at text not null
) strict;
create index reassignments_by_item on reassignments (item_id, sequence);

create table mails (
    mail_id text primary key,
    kind text not null,
    recipient text not null,
    reason_key text not null,
    subject text not null,
    delivery text not null,
    detail text,
    sent_at text not null
) strict;
-- A mail that failed may be sent again.
create unique index mails_by_reason on mails (kind, reason_key, recipient) where delivery <> 'failed';

-- A link signs its reviewer in once. Its private key was forgotten when the link was made, so that nothing here can make
-- another token for it. `replaced_at` is when a newer link was made for the same address.
create table links (
    link_id text primary key,
    email text not null,
    is_owner integer not null,
    public_key blob not null,
    issued_at text not null,
    expires_at text not null,
    redeemed_at text,
    replaced_at text
) strict, without rowid;
create index links_by_email on links (email);

-- A session of a browser. The cookie itself is only in that browser.
create table sessions (
    cookie_sha256 text primary key,
    email text not null,
    is_owner integer not null,
    method text not null,
    started_at text not null,
    seen_at text not null,
    expires_at text not null,
    ended_at text
) strict, without rowid;

-- Sign-ins at the identity provider that were completed, so that none is completed twice.
create table completed_sign_ins (
    cookie_sha256 text primary key,
    completed_at text not null
) strict, without rowid;

create table refusals (
    sequence integer primary key,
    refused_at text not null,
    kind text not null,
    address text not null,
    detail text not null
) strict;

create trigger held_decision after insert on decisions begin
    update items set held = case when new.decision <> 'withdrawn' then new.sequence end where item_id = new.item_id;
end;
create trigger current_reviewer after insert on reassignments begin
    update items set reviewer = new.to_email where item_id = new.item_id;
end;
create trigger decisions_stay before update on decisions begin select raise(abort, 'decisions are only added'); end;
create trigger decisions_remain before delete on decisions begin select raise(abort, 'decisions are only added'); end;
create trigger reassignments_stay before update on reassignments
begin select raise(abort, 'reassignments are only added'); end;
create trigger reassignments_remain before delete on reassignments
begin select raise(abort, 'reassignments are only added'); end;
create trigger refusals_stay before update on refusals begin select raise(abort, 'refusals are only added'); end;
create trigger refusals_remain before delete on refusals begin select raise(abort, 'refusals are only added'); end;
