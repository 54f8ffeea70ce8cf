-- Which server's claim a fetch is: whoever lost it changes nothing any more.

alter table package_source add column lease_id uuid;
