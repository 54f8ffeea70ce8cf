-- no transaction
-- What a provisioner was asked for is looked at, the latest first.
set lock_timeout = '1h';

drop index concurrently if exists provisioning_of_provisioner;
create index concurrently provisioning_of_provisioner on provisioning (provisioner_id, worker_id);

set lock_timeout = '2s';
