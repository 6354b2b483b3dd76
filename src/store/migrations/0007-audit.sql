-- All that was asked for, as a chain: the hash of each entry covers what it says and the hash of the one before. Rows are
-- never changed. What is deleted is the beginning, behind a checkpoint.
create table audit (
  seq bigint not null primary key,
  id text not null,
  at bigint not null,
  kind text not null check (kind in ('asked', 'answered', 'checkpoint')),
  -- of an answer: the entry that asked
  about text,
  identity text not null,
  who text not null,
  source text not null,
  operation text not null,
  -- what it is of, as it was then; null: the server
  organization text,
  project text,
  environment text,
  service text,
  rollout text,
  result text,
  code text,
  detail text not null,
  former text not null,
  hash text not null
);
create unique index audit_by_id on audit (id);
create index audit_by_about on audit (about);
create index audit_by_time on audit (at);
create index audit_by_organization on audit (organization, seq);

-- Calls that are carried out once, by the digests of their keys.
create table idempotency_keys (
  who text not null,
  key_digest text not null,
  operation text not null,
  content text not null,
  at bigint not null,
  fence bigint not null,
  answer text,
  primary key (who, key_digest)
);
create index idempotency_keys_by_time on idempotency_keys (at);
