-- Who may open the page of a campaign, and who was refused.

-- A link signs its reviewer in once. Its private key was forgotten when it was made, so that nothing here forges one.
create table if not exists links (
    link_id text primary key,
    email text not null,
    is_owner integer not null,
    public_key blob not null,
    issued_at text not null,
    expires_at text not null,
    redeemed_at text,
    replaced_at text  -- when a newer link for the same address was made
) strict, without rowid;

create index if not exists links_by_email on links (email);

-- A session of a browser. The cookie itself is only in that browser.
create table if not exists sessions (
    cookie_sha256 text primary key,
    email text not null,
    is_owner integer not null,
    method text not null,  -- link or oidc
    started_at text not null,
    seen_at text not null,
    expires_at text not null,
    ended_at text
) strict, without rowid;

-- Sign-ins at the identity provider that were completed, so that none is completed twice.
create table if not exists completed_sign_ins (
    cookie_sha256 text primary key,
    completed_at text not null
) strict, without rowid;

-- Refused requests; append-only.
create table if not exists refusals (
    refusal_id integer primary key,
    refused_at text not null,
    kind text not null,
    address text not null,
    detail text not null
) strict;
