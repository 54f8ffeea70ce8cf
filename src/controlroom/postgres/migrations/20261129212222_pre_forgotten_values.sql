-- Items whose values are not told any more with the figures of their task. No key to the item: claims write that table.
create table forgotten_value (
    work_item_id uuid primary key,
    workspace_id uuid not null references workspace
);
