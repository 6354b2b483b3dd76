-- Up to where the times of a service's schedule have been decided upon.
create table schedules (
  project text not null,
  environment text not null,
  service text not null,
  -- the schedule that this holds for
  spec text not null,
  through bigint not null,
  fence bigint not null,
  primary key (project, environment, service)
);

-- Runs of scheduled services, and times at which there was none.
create table runs (
  project text not null,
  environment text not null,
  service text not null,
  due_at bigint not null,
  asked_by text,
  release text,
  state text not null,
  started_at bigint,
  ended_at bigint,
  reason text not null,
  cancelled_by text,
  fence bigint not null,
  primary key (project, environment, service, due_at)
);
create unique index runs_running on runs (project, environment, service) where state = 'running';

-- How many instances services have that follow their load, or that somebody has set by hand.
create table scales (
  project text not null,
  environment text not null,
  service text not null,
  instances bigint not null,
  changed_at bigint not null,
  -- what somebody asked for instead of what the file says; the basis is what the file said then
  override_min bigint,
  override_max bigint,
  override_by text,
  override_basis text,
  fence bigint not null,
  primary key (project, environment, service)
);

create table scale_changes (
  project text not null,
  environment text not null,
  service text not null,
  at bigint not null,
  from_instances bigint,
  to_instances bigint not null,
  reason text not null,
  primary key (project, environment, service, at)
);
