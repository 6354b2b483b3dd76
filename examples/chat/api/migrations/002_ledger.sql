-- Every change of a balance, in order. Instances follow it to forget balances that another one has changed.
create table ledger (
  id integer primary key autoincrement,
  user_id text not null references accounts (user_id),
  delta integer not null,
  message_id integer references messages (id)
) strict;
