-- What the settings of the room's servers were at their last start, so that a part beside them can say where its own differ.
-- What is a secret is here as its keyed hash.
create table room_setting (
    name  text primary key,
    value text not null
);
