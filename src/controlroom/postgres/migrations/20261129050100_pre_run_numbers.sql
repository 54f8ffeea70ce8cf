-- Runs count 1, 2, 3 … by process: people name files by it. Each process has a sequence of its own, because a counter in a row
-- would make the starts of a process wait for each other until they are committed; so a start that fails leaves a gap.
alter table run add column run_no bigint;
lock table process in share row exclusive mode;

create function run_counter(process uuid) returns text
    language sql immutable parallel safe
    return 'run_no_' || replace(process::text, '-', '');

create function open_run_counter() returns trigger language plpgsql as $$
begin
    execute format('create sequence %I', run_counter(new.id));
    return null;
end $$;

create function close_run_counter() returns trigger language plpgsql as $$
begin
    execute format('drop sequence if exists %I', run_counter(old.id));
    return null;
end $$;

create function count_run() returns trigger language plpgsql as $$
begin
    new.run_no := nextval(run_counter(new.process_id)::regclass);
    return new;
end $$;

update run set run_no = counted.place
  from (select id, row_number() over (partition by process_id order by id) as place from run) as counted
 where counted.id = run.id;
alter table run alter column run_no set not null;

do $$
declare
    each record;
begin
    for each in
        select process.id, coalesce(counted.last, 0) as last
          from process left join (select process_id, max(run_no) as last from run group by process_id) as counted
            on counted.process_id = process.id
    loop
        execute format('create sequence %I start with %s', run_counter(each.id), each.last + 1);
    end loop;
end $$;

create trigger process_opens_its_counter after insert on process for each row execute function open_run_counter();
create trigger process_closes_its_counter after delete on process for each row execute function close_run_counter();
create trigger run_is_counted before insert on run for each row execute function count_run();
