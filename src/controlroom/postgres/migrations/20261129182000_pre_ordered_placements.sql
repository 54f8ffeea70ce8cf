-- A placement is an ordered list of places, and names as whom a robot runs. What was one place, or groups in their order,
-- is written so; no release before this one has run on this schema.
create function places_of(placement jsonb) returns jsonb language sql immutable as $$
    select case placement ->> 'type'
           when 'groups' then jsonb_build_object('places', (
                select jsonb_agg(jsonb_build_object('type', 'group', 'group', id) order by place)
                  from jsonb_array_elements_text(placement -> 'groups') with ordinality as of_it (id, place)))
           when 'any' then '{}'
           else jsonb_build_object('places', jsonb_build_array(placement)) end
$$;
update step set placement = places_of(placement) where placement ? 'type';
update queue_consumer set placement = places_of(placement) where placement ? 'type';
update step_run set placement = places_of(placement) where placement ? 'type';
update run set parameters = jsonb_set(parameters, '{placement}', places_of(parameters -> 'placement'))
 where parameters -> 'placement' ? 'type';
drop function places_of;

alter table step_run add column run_as uuid;     -- the user whose run it is; no key: runs outlive accounts

-- Those that wait for somebody to ask a provisioner: few, and looked for every second.
create index step_run_on_demand on step_run (id)
 where state in ('new', 'awaiting_worker') and placement -> 'places' -> -1 ->> 'type' = 'on_demand';
