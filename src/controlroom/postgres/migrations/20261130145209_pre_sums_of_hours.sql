-- Pages ask how much a workspace, or a step of a process, did in each hour of a month or two. The rows that tell workers,
-- users and causes apart are dozens of times as many: of a process of a million items 100,000 were added up for a page.

create table hourly_sum (
    generation   int         not null,
    workspace_id uuid        not null references workspace,
    noun         text        not null check (noun in ('run', 'step_run', 'work_item')),
    process_id   uuid,                             -- null: of all processes together, and of what belongs to none
    hour         timestamptz not null,
    step_id      uuid,
    result       text        not null,
    count        bigint      not null,
    milliseconds bigint      not null,
    unique nulls not distinct (generation, workspace_id, noun, process_id, hour, step_id, result)
);

-- Why by the database: servers of the release before write figures, too, for as long as they are there.
create function sum_hours() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into hourly_sum as known (generation, workspace_id, noun, process_id, hour, step_id, result, count, milliseconds)
        select generation, workspace_id, noun, process_id, hour, step_id, result, sum(count), sum(milliseconds)
          from (select generation, workspace_id, noun, process_id, hour, step_id, result, count, milliseconds from added
                 where process_id is not null
                 union all
                select generation, workspace_id, noun, null, hour, null, result, count, milliseconds from added) as each
         group by 1, 2, 3, 4, 5, 6, 7
            on conflict (generation, workspace_id, noun, process_id, hour, step_id, result) do update
           set count = known.count + excluded.count, milliseconds = known.milliseconds + excluded.milliseconds;
    else
        insert into hourly_sum as known (generation, workspace_id, noun, process_id, hour, step_id, result, count, milliseconds)
        select generation, workspace_id, noun, process_id, hour, step_id, result, sum(count), sum(milliseconds)
          from (select generation, workspace_id, noun, process_id, hour, step_id, result, count, milliseconds from added
                 where process_id is not null
                 union all
                select generation, workspace_id, noun, process_id, hour, step_id, result, -count, -milliseconds from gone
                 where process_id is not null
                 union all
                select generation, workspace_id, noun, null, hour, null, result, count, milliseconds from added
                 union all
                select generation, workspace_id, noun, null, hour, null, result, -count, -milliseconds from gone) as each
         group by 1, 2, 3, 4, 5, 6, 7
            on conflict (generation, workspace_id, noun, process_id, hour, step_id, result) do update
           set count = known.count + excluded.count, milliseconds = known.milliseconds + excluded.milliseconds;
    end if;
    return null;
end $$;
create trigger hours_are_summed after insert on hourly_figure
   referencing new table as added for each statement execute function sum_hours();
create trigger hours_are_summed_anew after update on hourly_figure
   referencing old table as gone new table as added for each statement execute function sum_hours();

insert into hourly_sum
select generation, workspace_id, noun, process_id, hour, step_id, result, sum(count), sum(milliseconds) from hourly_figure
 where process_id is not null
 group by 1, 2, 3, 4, 5, 6, 7
 union all
select generation, workspace_id, noun, null, hour, null, result, sum(count), sum(milliseconds) from hourly_figure
 group by 1, 2, 3, 5, 7;
analyze hourly_sum;
