-- A consumer may say which version of its task's package is run, whatever comes later. Who governs all queues need not write processes.
alter table queue_consumer add column version int;

update role set permissions = array_replace(permissions, 'processes.write', 'queues.govern')
 where id = '00000000-0000-7000-8000-000000000008';
