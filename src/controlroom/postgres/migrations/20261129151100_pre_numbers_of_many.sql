-- no transaction
-- Every noun that somebody can name has a number of the one sequence. These tables may have millions of rows: none is written
-- anew under a lock. New rows have their numbers from the first statement on, whichever release makes them; rows that were there
-- get theirs in batches, each a transaction; the unique indexes are built beside the writers; and `not null` is believed of a
-- condition that was checked without a lock that holds anybody up. Each statement can be run again.

alter table package_version add column if not exists number bigint;
alter table package_version alter column number set default nextval('number');

alter table work_item_file add column if not exists number bigint;
alter table work_item_file alter column number set default nextval('number');

alter table delivery add column if not exists number bigint;
alter table delivery alter column number set default nextval('number');

alter table phase add column if not exists id uuid, add column if not exists number bigint;
alter table phase
    alter column id set default uuid_made_at(clock_timestamp()),
    alter column number set default nextval('number');

create or replace procedure give_numbers(tabled regclass) language plpgsql as $$
declare
    last uuid := '00000000-0000-0000-0000-000000000000';
begin
    while last is not null loop
        execute format(
            'with batch as (
                 select id from %1$s where id > $1 order by id limit 5000 for no key update
             ), numbered as (
                 update %1$s as each set number = nextval(''number'')
                   from batch where each.id = batch.id and each.number is null
             )
             select id from batch order by id desc limit 1', tabled) into last using last;
        commit;
    end loop;
end $$;

call give_numbers('package_version');
call give_numbers('work_item_file');
call give_numbers('delivery');
drop procedure give_numbers(regclass);

do $$
declare
    last_step_run uuid := '00000000-0000-0000-0000-000000000000';
    last_attempt  int  := 0;
    last_position int  := 0;
begin
    while last_step_run is not null loop
        with batch as (
            select step_run_id, attempt, position from phase
             where (step_run_id, attempt, position) > (last_step_run, last_attempt, last_position)
             order by step_run_id, attempt, position
             limit 5000
               for no key update
        ), numbered as (
            update phase
               set number = nextval('number'),
                   id = uuid_made_at(coalesce(phase.started_at, phase.ended_at, step_run.created_at))
              from batch join step_run on step_run.id = batch.step_run_id
             where phase.step_run_id = batch.step_run_id and phase.attempt = batch.attempt
               and phase.position = batch.position and phase.number is null
        )
        select step_run_id, attempt, position from batch
         order by step_run_id desc, attempt desc, position desc
         limit 1
          into last_step_run, last_attempt, last_position;
        commit;
    end loop;
end $$;

drop index concurrently if exists package_version_number;
create unique index concurrently package_version_number on package_version (number);
drop index concurrently if exists work_item_file_number;
create unique index concurrently work_item_file_number on work_item_file (number);
drop index concurrently if exists delivery_number;
create unique index concurrently delivery_number on delivery (number);
drop index concurrently if exists phase_id;
create unique index concurrently phase_id on phase (id);
drop index concurrently if exists phase_number;
create unique index concurrently phase_number on phase (number);

alter table package_version drop constraint if exists numbered;
alter table package_version add constraint numbered check (number is not null) not valid;
alter table package_version validate constraint numbered;
alter table package_version alter column number set not null;
alter table package_version drop constraint numbered;

alter table work_item_file drop constraint if exists numbered;
alter table work_item_file add constraint numbered check (number is not null) not valid;
alter table work_item_file validate constraint numbered;
alter table work_item_file alter column number set not null;
alter table work_item_file drop constraint numbered;

alter table delivery drop constraint if exists numbered;
alter table delivery add constraint numbered check (number is not null) not valid;
alter table delivery validate constraint numbered;
alter table delivery alter column number set not null;
alter table delivery drop constraint numbered;

alter table phase drop constraint if exists numbered;
alter table phase add constraint numbered check (id is not null and number is not null) not valid;
alter table phase validate constraint numbered;
alter table phase alter column id set not null, alter column number set not null;
alter table phase drop constraint numbered;
