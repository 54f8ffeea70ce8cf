-- What makes a new room one that has worked for 90 days: run by `crowded.py`, which has put `told` (one row: what the
-- room is called by, and how much is wanted) and `cause` (why items fail, with their fingerprints) beside it.
-- Statements are divided by lines of `--;`. Nothing is checked meanwhile: triggers and foreign keys rest.

create temporary table moment as select now() as until, now() - interval '90 days' as since;
--;
-- what a room is furnished with
create temporary table many as select n, uuid_made_at((select since from moment) - interval '1 day') as id
  from generate_series(1, 10000) n;
--;
insert into app_user (id, organization_id, username, email)
select many.id, organization, 'person-' || n, 'person-' || n || '@example.com' from many, told where n <= 200;
--;
insert into access_grant (id, organization_id, workspace_id, user_id, role_id)
select uuid_made_at(now()), organization, workspace, many.id, (select id from role order by number limit 1)
  from many, told where n <= 200;
--;
insert into package (id, workspace_id, name, folder_id)
select uuid_made_at(now()), workspace, case n when 1 then 'words' else 'package-' || n end, (select folder_id from package order by number limit 1)
  from many, told where n <= 400;
--;
insert into package_version (id, package_id, version, hash, size, folder, robot)
select uuid_made_at(now()), package.id, made.version, known.hash, known.size, known.folder, known.robot
  from package, generate_series(1, 3) as made (version),
       (select * from package_version order by number limit 1) as known
 where package.name like 'package-%' or package.name = 'words';
--;
insert into task (id, package_id, name)
select uuid_made_at(now()), package.id, 'Task ' || n from package, generate_series(1, 3) n where package.name like 'package-%' or package.name = 'words';
--;
insert into asset (id, workspace_id, name, content_type, size, hash)
select uuid_made_at(now()), workspace, case n when 1 then 'prices' else 'asset-' || n end, 'application/json', 20, repeat('a', 64) from many, told where n <= 600;
--;
insert into secret (id, workspace_id, name, sealed)
select uuid_made_at(now()), workspace, case n when 1 then 'erp' else 'secret-' || n end, '\x00' from many, told where n <= 400;
--;
insert into assistant (id, workspace_id, name, task_id)
select uuid_made_at(now()), workspace, case n when 1 then 'Ask me' else 'assistant-' || n end, (select id from task order by number limit 1)
  from many, told where n <= 60;
--;
insert into provisioner (id, organization_id, name, endpoint, sealed)
select uuid_made_at(now()), organization, case n when 1 then 'cloud' else 'cloud-' || n end, 'https://cloud.example.com', '\x00'
  from many, told where n <= 20;
--;
insert into user_group (id, organization_id, name)
select uuid_made_at(now()), organization, case n when 1 then 'Accounting' else 'people-' || n end from many, told where n <= 30;
--;
insert into credential (id, kind, organization_id, workspace_id, name, lookup, sealed, permissions)
select uuid_made_at(now()), 'workspace_key', organization, workspace, 'key-' || n, decode(md5('k' || n) || md5('l' || n), 'hex'), '\x00',
       '{runs.read,work_items.read}' from many, told where n <= 100;
--;
insert into worker_group (id, organization_id, name, serves_all)
select many.id, organization, 'group-' || n, true from many, told where n <= 20;
--;
insert into worker (id, name, lookup, state, session, slots, version, platform, sandbox, seen_at, created_at,
                    organization_id, serves_all)
select many.id, 'worker-' || n, decode(md5('w' || n) || md5('v' || n), 'hex'),
       case when n % 20 = 0 then 'offline' when n % 3 = 0 then 'busy' else 'idle' end,
       case when n % 40 <> 20 then gen_random_uuid() end, 2, '1.0.0', 'Linux', 'bwrap',
       case when n % 20 = 0 then now() - interval '3 hours' else now() + interval '30 days' end,
       (select since from moment), organization, true
  from many, told where n <= told.workers;
--;
insert into worker_group_member (worker_group_id, worker_id)
select (select id from worker_group where name = 'group-' || (1 + n % 20)), worker.id
  from many, told join worker on true where n <= told.workers and worker.name = 'worker-' || n and n % 10 <> 0;
--;
insert into queue (id, workspace_id, name, is_standing)
select uuid_made_at(now()), workspace, 'standing-' || n, true from many, told where n <= 60;
--;
insert into process (id, workspace_id, name, created_at)
select uuid_made_at(now()), workspace,
       case n when 1 then 'Supplier invoices' when 2 then 'Ledger entries' else 'Process ' || n end, (select since from moment)
  from many, told where n <= 200;
--;
insert into queue (id, workspace_id, name, is_standing)
select uuid_made_at(now()), process.workspace_id, process.name || ', ' || step, false
  from process, (values ('Read'), ('Write')) as steps (step) where process.implicit_task_id is null;
--;
insert into step (id, workspace_id, process_id, position, name, task_id, queue_id, max_parallel)
select uuid_made_at(now()), process.workspace_id, process.id, position, step,
       (select id from task order by number limit 1), queue.id, 5
  from process, (values ('Read', 0), ('Write', 1)) as steps (step, position), queue
 where process.implicit_task_id is null and queue.name = process.name || ', ' || step
   and not exists (select from step as known where known.process_id = process.id);
--;
insert into webhook (id, workspace_id, name, grammar, endpoint, events, sealed, is_enabled)
select many.id, workspace, 'hook-' || n, 'robocorp', 'https://example.com/' || n, '{run.completed}', '\x00', false
  from many, told where n <= 50;
--;
insert into schedule (id, workspace_id, process_id, name, rule, zone, starts_at, is_enabled, missed, grace, overlap,
                      inputs, next_due, created_at)
select many.id, workspace, (select id from process where name = 'Process ' || (3 + n % 198) limit 1), 'schedule-' || n,
       jsonb_build_object('type', 'cron', 'expression', n % 60 || ' ' || n % 24 || ' 1 1 *'), 'Europe/Oslo', (select since from moment),
       true, 'skip', interval '5 minutes', 'skip', '{"type": "default"}', date_trunc('year', now()) + interval '1 year' + n * interval '1 second',
       (select since from moment)
  from many, told where n <= told.schedules;
--;
insert into schedule_occurrence (schedule_id, due, state, run_id, reason)
select schedule.id, moment.until - day * interval '9 days' - random() * interval '1 day',
       case when n % 50 = 0 and day % 5 = 0 then 'missed' when day % 5 = 0 then 'skipped' else 'started' end,
       case when day % 5 <> 0 then gen_random_uuid() end, ''
  from (select id, row_number() over (order by id) as n from schedule) as schedule, moment, generate_series(0, 9) day;
--;
insert into delivery (id, workspace_id, kind, subscription_id, event_kind, message_id, grammar, destination, body, state,
                      attempts, give_up_at, ended_at, created_at)
select uuid_made_at(made.at), webhook.workspace_id, 'webhook', webhook.id, 'run.completed', gen_random_uuid(), 'robocorp',
       webhook.endpoint, '{}', case when n % 10 = 0 then 'failed' else 'delivered' end, 1, made.at, made.at, made.at
  from webhook, generate_series(1, 2000) n,
       lateral (select now() - n * interval '5 minutes' as at) as made;
--;
-- runs: 200 of a process whose million items are in them, 100 of each small process, all others of one process
create temporary table given as
select n, made.at, process.id as process_id, process.kind,
       case when process.kind = 1 then greatest(told.items / 1000, 10) when process.kind = 2 then 22 else 5 end as items,
       n > told.runs - 200 as is_open
  from told, generate_series(1, told.runs) n,
       lateral (select moment.since + (moment.until - moment.since) * (n::float8 / (told.runs + 1)) as at from moment) as made
  join lateral (select case when n % (told.runs / 200) = 0 then 1 when n % 10 = 1 then 3 + n / 10 % 198 else 2 end as kind) as chosen on true
  join lateral (select 0) as nothing on true
  join (select id, case name when 'Supplier invoices' then 1 when 'Ledger entries' then 2
                             else substr(name, 9)::int end as kind
          from process where implicit_task_id is null and (name in ('Supplier invoices', 'Ledger entries') or name ~ '^Process [0-9]+$')) as process
    on process.kind = chosen.kind;
--;
create index on given (n);
--;
analyze given;
--;
insert into run (id, workspace_id, process_id, run_no, state, result, started_by, started_by_id, created_at, started_at,
                 ended_at)
select uuid_made_at(at), workspace, process_id, n,
       case when is_open then 'in_progress' when n % 20 = 0 then 'unresolved' else 'completed' end,
       case when is_open then null when n % 20 = 0 then 'failed' when n % 33 = 0 then 'stopped' else 'succeeded' end,
       (array['api', 'schedule', 'user', 'email'])[1 + n % 4], case when n % 4 = 2 then admin end, at,
       at + interval '2 seconds', case when not is_open then at + interval '1 minute' * (1 + n % 20) end
  from given, told order by n;
--;
insert into step_run (id, workspace_id, run_id, step_id, state, state_at, result, error_code, error_message, attempt,
                      worker_id, worker_session, lease_until, created_at, started_at, began_at, ended_at, exit_code,
                      package_version_id)
select uuid_made_at(run.created_at + interval '3 milliseconds' * (step.position * 10 + part)), run.workspace_id, run.id, step.id,
       case when run.ended_at is null then 'in_progress' when is_bad then 'failed' else 'completed' end,
       coalesce(run.ended_at, run.started_at),
       case when run.ended_at is null then null when is_bad then 'failed' else 'succeeded' end,
       case when run.ended_at is not null and is_bad then 'ROBOT_FAILED' end,
       case when run.ended_at is not null and is_bad then 'the robot ended with 1 after ' || run.run_no % 97 || ' items' else '' end, 1,
       worker.id, worker.session, case when run.ended_at is null then now() + interval '30 days' end,
       run.created_at + interval '1 second', run.started_at, run.started_at + interval '1 second', run.ended_at,
       case when run.ended_at is not null then is_bad::int end, (select id from package_version order by number limit 1)
  from told join run on true join given on given.n = run.run_no and given.process_id = run.process_id
  join step on step.process_id = run.process_id
 cross join lateral generate_series(1, case when given.kind = 1 then 5 else 1 end) part
 cross join lateral (select (run.run_no + part + step.position) % 25 = 0 as is_bad) as bad
  join (select id, session, row_number() over (order by id) as place from worker where state = 'busy' and session is not null) as worker
    on worker.place = 1 + (run.run_no * 7 + step.position * 3 + part) % (select count(*) from worker where state = 'busy' and session is not null);
--;
create temporary table printer as
select step_run.run_id, step_run.step_id, step_run.id, row_number() over (partition by run_id, step_id order by id) - 1 as place
  from step_run;
--;
create index on printer (run_id, step_id, place);
--;
analyze printer; analyze run; analyze step_run; analyze step; analyze process;
--;
insert into artifact (id, workspace_id, step_run_id, attempt, name, size, hash, created_at)
select uuid_made_at(step_run.created_at), workspace_id, step_run.id, 1, name, 2000, md5(step_run.id::text || name) || repeat('0', 32), step_run.created_at
  from step_run, (values ('log.html'), ('result.json')) as names (name);
--;
/*items*/
insert into work_item (id, workspace_id, process_id, queue_id, step_id, run_id, state, state_at, created_at, attempt,
                       step_run_id, turn, reserved_at, exception_type, exception_code, exception_message, failure, payload, reference,
                       tried_by)
select uuid_made_at(run.created_at + interval '1 millisecond' * i), run.workspace_id, run.process_id, step.queue_id, step.id,
       run.id, told_of.state, run.created_at + interval '1 minute', run.created_at, 1, printer.id,
       case when told_of.state = 'pending' then null else (i / (2 * case when given.kind = 1 then 5 else 1 end)) + 1 end,
       run.created_at, cause.type, coalesce(cause.code, ''),
       coalesce(format(cause.message, i, i % 90), ''), cause.mark,
       jsonb_build_object('order', i, 'customer', 'ACME', 'order_of_thousand', (run.run_no * 31 + i) % 1000,
                          'supplier', jsonb_build_object('country', 'NO', 'name', 'Fjordkraft Nett AS'))
       || case when (run.run_no * 31 + i) % 1000 = 8 then jsonb_build_object('text', repeat('lorem ipsum ', 400)) else '{}' end,
       case when i % 2 = 0 then 'INV-' || run.run_no || '-' || i end, array[printer.id]
  from told join run on run.run_no between $1 and $2
  join given on given.n = run.run_no and given.process_id = run.process_id
 cross join lateral generate_series(1, given.items) i
  join step on step.process_id = run.process_id and step.position = i % 2
  join printer on printer.run_id = run.id and printer.step_id = step.id
              and printer.place = case when given.kind = 1 then i / 2 % 5 else 0 end
 cross join lateral (
       select case when run.ended_at is null and i % 3 = 0 then 'pending'
                   when (run.run_no * 31 + i) % 100 = 1 then 'failed' when (run.run_no * 31 + i) % 1000 = 2 then 'held'
                   else 'done' end as state) as told_of
  left join cause on told_of.state = 'failed' and cause.kind = least(given.kind, 3) and cause.place = (run.run_no + i / 100) % 8
--;
insert into work_item (id, workspace_id, queue_id, state, created_at, payload)
select uuid_made_at(now() - n * interval '1 second'), queue.workspace_id, queue.id, 'new', now() - n * interval '1 second',
       jsonb_build_object('claim', n)
  from queue, generate_series(1, 1000) n where is_standing and name ~ '^standing-[0-9]$';
--;
insert into work_item_attempt (work_item_id, attempt, step_run_id, reserved_at, released_at, outcome, exception_type,
                               exception_code, exception_message)
select id, 1, step_run_id, reserved_at, state_at, state, exception_type, exception_code, exception_message
  from work_item where state in ('done', 'failed') and step_run_id is not null;
--;
insert into event (xid, at, organization_id, workspace_id, kind, actor_kind, process_id, run_id)
select '3', case when kind = 'run.started' then run.created_at else run.ended_at end, organization, run.workspace_id, kind, 'system', process_id, run.id
  from told join run on true cross join lateral (values ('run.started'), (case when run.ended_at is not null then 'run.' || run.state end)) as kinds (kind)
 where kind is not null;
--;
insert into event (xid, at, organization_id, workspace_id, kind, actor_kind, process_id, run_id, step_run_id)
select '3', case when kind = 'step_run.started' then step_run.started_at else step_run.ended_at end, organization, step_run.workspace_id, kind, 'worker', run.process_id, run.id, step_run.id
  from told join step_run on true join run on run.id = step_run.run_id
 cross join lateral (values ('step_run.started'), (case when step_run.ended_at is not null then 'step_run.' || step_run.state end)) as kinds (kind)
 where kind is not null;
--;
insert into event (xid, at, organization_id, workspace_id, kind, actor_kind, process_id, run_id, step_run_id, work_item_id)
select '3', state_at, organization, workspace_id, 'work_item.' || state, 'worker', process_id, run_id, step_run_id, id
  from told join work_item on work_item.workspace_id = told.workspace
 where state in ('done', 'failed') and (state = 'failed' or work_item.id > uuid_before(now() - interval '18 days'));
--;
insert into event (xid, at, organization_id, workspace_id, kind, actor_kind, actor_id, subject_id)
select '3', asset.created_at - n * interval '1 minute', organization, workspace, 'asset.updated', 'user', admin, asset.id
  from told, asset, generate_series(1, 200) n;
--;
-- read models: they are there, and nothing is to be made anew
update statistics_state set rebuilding = null;
--;
delete from event_cursor where reader = 'statistics anew';
--;
insert into hourly_figure
select 1, step_run.workspace_id, 'step_run', date_trunc('hour', step_run.started_at, 'UTC'), run.process_id, step_run.step_id,
       step.task_id, step_run.worker_id, null, step_run.result, run.started_by, count(*),
       (extract(epoch from sum(step_run.ended_at - step_run.started_at)) * 1000)::bigint,
       (extract(epoch from max(step_run.ended_at - step_run.started_at)) * 1000)::bigint, max(step_run.id::text)::uuid,
       max(step_run.ended_at), max(step_run.id::text)::uuid
  from step_run join run on run.id = step_run.run_id join step on step.id = step_run.step_id
 where step_run.result is not null
 group by step_run.workspace_id, date_trunc('hour', step_run.started_at, 'UTC'), run.process_id, step_run.step_id, step.task_id, step_run.worker_id, step_run.result, run.started_by;
--;
insert into hourly_figure
select 1, run.workspace_id, 'run', date_trunc('hour', run.started_at, 'UTC'), run.process_id, null, null, null,
       case when started_by = 'user' then started_by_id end, run.result, run.started_by, count(*),
       (extract(epoch from sum(run.ended_at - run.started_at)) * 1000)::bigint,
       (extract(epoch from max(run.ended_at - run.started_at)) * 1000)::bigint, max(run.id::text)::uuid, max(run.ended_at), max(run.id::text)::uuid
  from run where result is not null
 group by run.workspace_id, date_trunc('hour', run.started_at, 'UTC'), run.process_id, case when started_by = 'user' then started_by_id end, run.result, run.started_by;
--;
insert into hourly_figure
select 1, item.workspace_id, 'work_item', date_trunc('hour', item.state_at, 'UTC'), item.process_id, item.step_id, step.task_id, step_run.worker_id, null,
       item.state, coalesce(item.exception_type, ''), count(*), count(*) * 700, 900, null, max(item.state_at), null
  from work_item as item join step_run on step_run.id = item.step_run_id join step on step.id = item.step_id
 where item.state in ('done', 'failed')
 group by item.workspace_id, date_trunc('hour', item.state_at, 'UTC'), item.process_id, item.step_id, step.task_id, step_run.worker_id, item.state, coalesce(item.exception_type, '');
--;
insert into hourly_sum
select generation, workspace_id, noun, process_id, hour, step_id, result, sum(count), sum(milliseconds) from hourly_figure
 where process_id is not null
 group by 1, 2, 3, 4, 5, 6, 7
 union all
select generation, workspace_id, noun, null, hour, null, result, sum(count), sum(milliseconds) from hourly_figure
 group by 1, 2, 3, 5, 7;
--;
insert into failure_hour
select 1, workspace_id, failure, date_trunc('hour', state_at, 'UTC'), count(*) from work_item
 where failure is not null group by 2, 3, 4;
--;
insert into failure_group
select 1, workspace_id, failure, 'work_item', (array_agg(process_id))[1], min(exception_type), min(exception_code),
       min(exception_message), min(exception_message), count(*), min(state_at), max(state_at), max(id::text)::uuid
  from work_item where failure is not null group by workspace_id, failure;
--;
insert into queue_hour (workspace_id, queue_id, hour, depth, deepest, arrived, gone)
select queue.workspace_id, queue.id, date_trunc('hour', now() - n * interval '1 hour', 'UTC'),
       n % 10, 10 + n % 10, 100, 100
  from queue, generate_series(0, 40) n;
--;
insert into console_chunk (step_run_id, attempt, first_line, line_count, at, body)
select step_run.id, 1, part * 500, 500, step_run.started_at,
       convert_to(repeat('processed order of customer ACME: 3 lines, 120.50 EUR, nothing unusual' || chr(10), 499)
                  || 'the end of part ' || part || ' of ' || step_run.number || chr(10), 'UTF8')
  from (select * from step_run where ended_at is not null order by id desc limit (select consoles from told)) as step_run, generate_series(0, 3) part;
