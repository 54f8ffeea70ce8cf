-- When runs were made, for lists of a span of time among millions: their rows lie in that order, so that it is kept by blocks,
-- and a start pays nothing for it.
create index project_run_by_creation on project_run using brin (created_at) with (pages_per_range = 16, autosummarize = on);
