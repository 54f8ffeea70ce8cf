-- Notifications of processes are listed throughout their workspace; exports and imports by who asked for them, who also
-- may forget one that has ended.
create index notification_of_workspace on notification (workspace_id, id)
    where process_id is not null and deleted_at is null;
create index transfer_of_user on transfer (user_id, id);
