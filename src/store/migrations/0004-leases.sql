-- Which of several controllers acts. Its fence is the counter of that name as it was drawn with the taking; whether the
-- lease has run out is a matter of the database's clock alone.
create table leases (
  name text not null primary key,
  holder text not null,
  -- who that is, for the others: JSON of a process on a machine
  about text not null,
  fence bigint not null,
  -- 0 when it was given up
  expires_at bigint not null
);
