-- A worker that cannot work takes no work: it rests and says why. What it could not begin it gives back.
alter table worker drop constraint worker_state_check;
alter table worker add constraint worker_state_check check (state in ('offline', 'idle', 'busy', 'resting'));
alter table worker add column trouble text not null default ''; -- why it takes no work; empty: it does
alter table step_run add column given_back int not null default 0; -- how often a worker could not begin it
