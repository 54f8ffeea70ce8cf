-- A worker, a group, a link token and a provisioner serve what rows of `serving` say: no server reads their workspace.
drop trigger worker_is_of_organization on worker;
drop trigger worker_group_is_of_organization on worker_group;
drop trigger provisioner_is_of_organization on provisioner;
drop trigger worker_serves on worker;
drop trigger worker_group_serves on worker_group;
drop trigger provisioner_serves on provisioner;
drop trigger link_token_serves on linking;
drop trigger serving_is_as_before on serving;
drop function of_organization(), serves_its_workspace(), link_token_serves_its_workspace(), serving_as_before();
alter table worker drop column workspace_id;
alter table worker_group drop column workspace_id;
alter table provisioner drop column workspace_id;
update credential set workspace_id = null where kind = 'link_token' and workspace_id is not null;
