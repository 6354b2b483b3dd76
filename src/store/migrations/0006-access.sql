-- Who may do what. Nothing that proves who somebody is lies here in a form in which it could be used.

create table organizations (
  id text not null primary key,
  name text not null,
  created_at bigint not null
);
create unique index organizations_by_name on organizations (name);

-- A project belongs to one organization. One that has some cannot be removed.
create table projects (
  project text not null primary key,
  organization text not null references organizations (id),
  since bigint not null
);
create index projects_by_organization on projects (organization);

insert into organizations (id, name, created_at) values ('default', 'default', 0);
insert into projects (project, organization, since)
  select project, 'default', min(updated_at) from environments group by project;

create table users (
  id text not null primary key,
  -- by which they sign in, in small letters
  login text not null,
  name text not null,
  -- $argon2id$…; null for who signs in elsewhere, or has chosen none yet
  password_hash text,
  password_at bigint,
  -- the secret of the second factor, encrypted with a key that is not in the store
  totp_sealed text,
  -- 1 once a code of it was given; until then it is not asked for
  totp_confirmed integer not null check (totp_confirmed in (0, 1)),
  -- the last step of which a code was accepted: neither it nor an earlier one is again
  totp_step bigint,
  runs_server integer not null check (runs_server in (0, 1)),
  disabled_at bigint,
  created_at bigint not null,
  signed_in_at bigint
);
create unique index users_by_login on users (login);

create table memberships (
  organization text not null references organizations (id) on delete cascade,
  user_id text not null references users (id) on delete cascade,
  since bigint not null,
  primary key (organization, user_id)
);
create index memberships_by_user on memberships (user_id);

-- Roles of an organization's own.
create table roles (
  organization text not null references organizations (id) on delete cascade,
  name text not null,
  -- a JSON array
  permissions text not null,
  updated_at bigint not null,
  primary key (organization, name)
);

-- A role, built-in or not, of a member in the projects and environments that the patterns name.
create table grants (
  id text not null primary key,
  organization text not null,
  user_id text not null,
  role text not null,
  project text not null,
  environment text not null,
  granted_by text not null,
  granted_at bigint not null,
  foreign key (organization, user_id) references memberships (organization, user_id) on delete cascade
);
create unique index grants_once on grants (organization, user_id, role, project, environment);
create index grants_by_user on grants (user_id);

create table sessions (
  id text not null primary key,
  -- SHA-256 of what the cookie holds
  hash text not null,
  user_id text not null references users (id) on delete cascade,
  -- 1 between the password and the second factor: it is no session yet
  pending integer not null check (pending in (0, 1)),
  method text not null,
  address text,
  agent text,
  created_at bigint not null,
  seen_at bigint not null,
  expires_at bigint not null
);
create unique index sessions_by_hash on sessions (hash);
create index sessions_by_user on sessions (user_id, seen_at);

create table tokens (
  id text not null primary key,
  hash text not null,
  -- by which people recognise it
  prefix text not null,
  name text not null,
  user_id text not null references users (id) on delete cascade,
  -- the token that it was made with: it ends with that one; null: made by a person
  made_by text references tokens (id) on delete cascade,
  -- null: wherever its owner is a member
  organization text references organizations (id) on delete cascade,
  -- a JSON array; null: all of its owner's
  permissions text,
  project text not null,
  environment text not null,
  created_at bigint not null,
  expires_at bigint,
  used_at bigint,
  used_from text
);
create unique index tokens_by_hash on tokens (hash);
create unique index tokens_by_name on tokens (user_id, name);
create index tokens_by_organization on tokens (organization);
create index tokens_by_maker on tokens (made_by);

-- Links that sign somebody in once; a user has one at most.
create table sign_in_links (
  user_id text not null primary key references users (id) on delete cascade,
  hash text not null,
  purpose text not null,
  created_by text not null,
  created_at bigint not null,
  expires_at bigint not null
);
create unique index sign_in_links_by_hash on sign_in_links (hash);

-- With which account of which OpenID provider a user signs in.
create table identities (
  issuer text not null,
  subject text not null,
  user_id text not null references users (id) on delete cascade,
  linked_at bigint not null,
  primary key (issuer, subject)
);
create index identities_by_user on identities (user_id);

-- Tries to sign in that failed or are not over, by sign-in name and by address.
create table sign_in_attempts (
  key text not null primary key,
  count bigint not null,
  last_at bigint not null
);
create index sign_in_attempts_by_time on sign_in_attempts (last_at);

-- The human being behind a request, whatever they asked with: two approvals of one are one.
alter table requests add column human text;
