-- One subset for SQLite and Postgres: text, integer (0/1 and small numbers), bigint (milliseconds, ports, counters),
-- JSON as text, ids as text. A file that was released once is never changed: write the next number instead.

-- Numbers that only grow: 'fence', and the order in which rollouts and releases were recorded, which a clock that was
-- set back cannot disturb.
create table counters (
  name text not null primary key,
  value bigint not null
);

create table environments (
  project text not null,
  environment text not null,
  wanted text not null check (wanted in ('up', 'down')),
  config text not null,
  updated_at bigint not null,
  primary key (project, environment)
);

-- The highest release number that was ever given out, used or not.
create table release_numbers (
  project text not null,
  service text not null,
  number bigint not null,
  primary key (project, service)
);

create table releases (
  project text not null,
  id text not null,
  environment text not null,
  service text not null,
  number bigint not null,
  ordinal bigint not null,
  source text not null,
  artifact text,
  config_digest text not null,
  config text not null,
  created_by text not null,
  created_at bigint not null,
  primary key (project, id)
);
create unique index releases_by_number on releases (project, service, number);
create index releases_by_ordinal on releases (project, ordinal);

create table deployments (
  project text not null,
  environment text not null,
  service text not null,
  current_release text,
  former_release text,
  internal_port bigint,
  preview_port bigint,
  primary key (project, environment, service)
);
create unique index deployments_by_internal_port on deployments (internal_port);
create unique index deployments_by_preview_port on deployments (preview_port);

-- What is looked up or compared stands in columns, everything else in `state`; nothing stands in both.
create table rollouts (
  id text not null primary key,
  ordinal bigint not null,
  project text not null,
  environment text not null,
  phase text not null,
  end_state text,
  settled integer not null check (settled in (0, 1)),
  -- 1 until it has ended and is settled
  live integer not null check (live in (0, 1)),
  fence bigint not null,
  version bigint not null,
  -- the last sequence numbers of its journal and of its requests
  journal_seq bigint not null,
  request_seq bigint not null,
  created_at bigint not null,
  state text not null
);
create unique index rollouts_by_ordinal on rollouts (ordinal);
create index rollouts_by_environment on rollouts (project, environment, ordinal);
create index rollouts_live on rollouts (live, ordinal);

create table rollout_services (
  rollout text not null references rollouts (id),
  project text not null,
  environment text not null,
  service text not null,
  ordinal bigint not null,
  -- 1 while no other rollout of this service may begin: until it ends or is watching
  blocking integer not null check (blocking in (0, 1)),
  primary key (rollout, service)
);
create unique index rollout_services_blocking on rollout_services (project, environment, service) where blocking = 1;
create index rollout_services_by_service on rollout_services (service, ordinal);

create table journal (
  rollout text not null references rollouts (id),
  seq bigint not null,
  at bigint not null,
  from_state text,
  to_state text not null,
  reason text not null,
  detail text not null,
  fence bigint not null,
  primary key (rollout, seq)
);

create table requests (
  rollout text not null references rollouts (id),
  seq bigint not null,
  kind text not null,
  requested_by text not null,
  at bigint not null,
  comment text,
  force integer not null check (force in (0, 1)),
  primary key (rollout, seq)
);
