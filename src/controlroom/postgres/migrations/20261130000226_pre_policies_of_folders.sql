-- A code policy is of a folder, too: the nearest one above a package decides.
alter table repository_file add column code_policy_id uuid references code_policy;  -- null: what is above decides
create index repository_file_with_policy on repository_file (code_policy_id) where code_policy_id is not null;
