-- How far a step run is, as its robot has said last: {"done", "total", "message", "at"}. No index: such updates stay in their page.
alter table step_run add column progress jsonb;
