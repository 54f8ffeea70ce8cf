-- Where a robot lies in its package, chosen where there are several; and whose uploads packages are made by.

alter table package_version add column folder text;    -- null: taken before, when it was the least deep robot.yaml
alter table package_source add column folder text not null default '';
alter table upload
    add column folder  text not null default '',
    add column by_kind text not null default 'system',
    add column by_id   uuid;
