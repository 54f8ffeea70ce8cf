-- Packages of the world that are newer than this do not count when a robot's environment is resolved.

alter table package add column exclude_newer timestamptz;    -- null: as the room says
