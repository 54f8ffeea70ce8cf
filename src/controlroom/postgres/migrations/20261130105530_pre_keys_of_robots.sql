-- The key by which a robot's output is known again. What the vendors' libraries put out has none, and pays nothing.
alter table work_item add column robot_key text;
