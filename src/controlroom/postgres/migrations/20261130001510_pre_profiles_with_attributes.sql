-- A profile may bring extended attributes, too.
alter table connection_profile add column extended_attributes_id uuid references extended_attributes;
