-- SHA-256 of `config`, so that who has read that text need not read it again; empty: written before there was one.
alter table environments add column config_digest text not null default '';
