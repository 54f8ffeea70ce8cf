-- Each page of the console asks whether a workspace has steps for people: few have, and those that have are few.
create index step_for_people on step (process_id) where form is not null and deleted_at is null;
