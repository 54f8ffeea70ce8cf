-- A start with an idempotency key is answered with the run of the first one that had it. Starts without a key pay nothing.
create unique index run_by_key on run (process_id, (parameters ->> 'idempotency_key'))
 where parameters ? 'idempotency_key';
