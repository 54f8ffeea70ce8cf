-- Read as a source, as it would be from a loader; so that the seed comes first:
-- depends_on: {{ ref('picked_crates') }}
select
    crate_id,
    grower_id,
    fruit,
    {{ in_coins('cents') }} as price,
    picked_on,
    {{ days_later('picked_on', var('ripe_after_days')) }} as ripe_on
from {{ source('scales', 'picked_crates') }}
