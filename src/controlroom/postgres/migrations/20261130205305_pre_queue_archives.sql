-- Archives of queues are listed by workspace, the newest first.
create index queue_job_archives on queue_job (workspace_id, id) where kind in ('queue_export', 'queue_import');
