create table accounts (
  user_id text primary key,
  balance integer not null check (balance >= 0)
) strict;

create table messages (
  id integer primary key autoincrement, -- never reused, and without gaps: a reader notices a missing one
  user_id text not null references accounts (user_id),
  text text not null,
  reply text not null,
  created_at integer not null -- milliseconds
) strict;
