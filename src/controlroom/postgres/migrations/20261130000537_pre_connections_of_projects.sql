-- A project's connection is one of the organization's.
alter table project add constraint project_connection_id_fkey foreign key (connection_id) references connection;
create index project_of_connection on project (connection_id) where connection_id is not null;
