select
    growers.grower_id,
    growers.grower,
    growers.village,
    cast(date_trunc('month', crates.picked_on) as date) as month,
    count(*) as crates,
    sum(crates.price) as earned
from {{ ref('crates') }} as crates
join {{ ref('growers') }} as growers on growers.grower_id = crates.grower_id
group by 1, 2, 3, 4
