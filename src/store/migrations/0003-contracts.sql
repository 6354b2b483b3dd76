-- The release whose contract was begun last: what is older does not fit the database of the service any more.
alter table deployments add column contracted_release text;
