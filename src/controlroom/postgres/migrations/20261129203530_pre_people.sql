-- Users have what grammars of people show and keep of them: a description, words of a grammar's own, who changed them when. A deleted
-- user's row stays, for what they did, and their name is free again.

alter table app_user
    add column description  text not null default '',
    add column words        text[] not null default '{}',  -- a grammar's own, kept as they were given: `grammar:word`
    add column created_by   uuid references app_user,
    add column updated_by   uuid references app_user,
    add column updated_at   timestamptz not null default clock_now(),
    add column revision     bigint not null default 1,     -- raised by each update
    add column logged_in_at timestamptz,                   -- by a signed session
    add column deleted_at   timestamptz;                   -- disabled with it
update app_user set updated_at = created_at;

create unique index app_user_called on app_user (organization_id, lower(username)) where deleted_at is null;
drop index app_user_name;
create index app_user_of_organization on app_user (organization_id, id) where deleted_at is null;

alter table role
    add column created_by uuid references app_user,
    add column updated_by uuid references app_user,
    add column revision   bigint not null default 1;

-- Signed sessions stand beside others of their user, or alone: then a further one ends it. By which key they were begun.
alter table user_session
    add column is_alone      boolean not null default false,
    add column credential_id uuid references credential on delete cascade;
create index user_session_of_credential on user_session (credential_id) where credential_id is not null;
create unique index credential_user_key on credential (user_id) where kind = 'user_key';

-- Further roles of the system: what they allow here, and a grammar's names of it.
insert into role (id, name, description, permissions) values
    ('00000000-0000-7000-8000-000000000005', 'basic', 'Logs in, and uses what is given to them',
     '{automation360:dashboard.view,automation360:taskscheduling.myschedule,automation360:taskscheduling.view,
       automation360:repositorymanager.view,automation360:credentials.managecredentials,automation360:devices.view,
       automation360:devices.register,automation360:apikey.generate}'),
    ('00000000-0000-7000-8000-000000000006', 'locker admin', 'Sees and changes all lockers and secrets',
     '{secrets.read,secrets.write,automation360:dashboard.view,automation360:taskscheduling.myschedule,
       automation360:credentials.managecredentials,automation360:devices.view,automation360:locker.create,
       automation360:locker.all}'),
    ('00000000-0000-7000-8000-000000000007', 'pool admin', 'Sees and changes all workers and their groups',
     '{workers.read,workers.write,automation360:dashboard.view,automation360:taskscheduling.myschedule,
       automation360:credentials.managecredentials,automation360:devices.view,automation360:devices.all,
       automation360:pool.create,automation360:pool.all}'),
    ('00000000-0000-7000-8000-000000000008', 'queue admin', 'Sees and changes all queues and their items',
     '{processes.read,processes.write,work_items.read,work_items.write,automation360:dashboard.view,
       automation360:taskscheduling.myschedule,automation360:credentials.managecredentials,automation360:devices.view,
       automation360:queue.create,automation360:queue.all}'),
    ('00000000-0000-7000-8000-000000000009', 'developer', 'Makes robots in the folders that are given to them',
     '{automation360:dashboard.view,automation360:taskscheduling.myschedule,automation360:taskscheduling.view,
       automation360:credentials.managecredentials,automation360:devices.view,automation360:devices.register,
       automation360:repositorymanager.view,automation360:repositorymanager.run,automation360:repositorymanager.export,
       automation360:repositorymanager.import,automation360:repositorymanager.renamefolders,
       automation360:repositorymanager.cancelcheckout,automation360:apikey.generate}'),
    ('00000000-0000-7000-8000-00000000000a', 'insights admin', 'Sees all runs and what they put out',
     '{processes.read,runs.read,run_outputs.read,automation360:dashboard.view,automation360:taskscheduling.myschedule,
       automation360:taskscheduling.everyoneschedule,automation360:credentials.managecredentials,
       automation360:devices.view,automation360:botinsight.all}'),
    ('00000000-0000-7000-8000-00000000000b', 'process admin', 'Sees all processes, their runs and what waits for people',
     '{processes.read,runs.read,run_outputs.read,work_items.read,automation360:dashboard.view,
       automation360:taskscheduling.myschedule,automation360:credentials.managecredentials,automation360:devices.view,
       automation360:aari.aarischeduler,automation360:process.viewallrequests,automation360:process.viewalltask,
       automation360:process.deletemyrequest,automation360:process.deleteallrequest,
       automation360:copilot.viewandmanageallteam,automation360:copilot.viewandmanagemyteam}'),
    ('00000000-0000-7000-8000-00000000000c', 'process user', 'Starts processes that are given to them, and does their tasks',
     '{automation360:dashboard.view,automation360:taskscheduling.myschedule,automation360:credentials.managecredentials,
       automation360:devices.view,automation360:process.deletemyrequest,automation360:copilot.viewandmanagemyteam}'),
    ('00000000-0000-7000-8000-00000000000d', 'validator', 'Looks over documents that are given to them',
     '{automation360:dashboard.view,automation360:taskscheduling.myschedule,automation360:credentials.managecredentials,
       automation360:devices.view}'),
    ('00000000-0000-7000-8000-00000000000e', 'runner', 'Robots run as them', '{runs.runtime}');
