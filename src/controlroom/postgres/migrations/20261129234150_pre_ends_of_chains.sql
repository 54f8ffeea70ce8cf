-- A chain may follow runs that were stopped, and tell those that failed from those that took too long. The process that it
-- starts may be of another workspace of the organization.
alter table chain
    drop constraint chain_ends_check,
    add constraint chain_ends_check
        check (ends <> '{}' and ends <@ '{completed,unresolved,failed,timed_out,stopped}');
create index chain_to_process on chain (next_process_id) where deleted_at is null;
