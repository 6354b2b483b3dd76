-- Where a release asks another service: releases of one rollout are answered by each other.
create table addresses (
  project text not null,
  environment text not null,
  -- who asks
  release text not null,
  -- who is asked
  service text not null,
  port bigint not null,
  primary key (project, environment, release, service)
);
create unique index addresses_by_port on addresses (port);
