{{ config(materialized='incremental', unique_key='picked_on') }}

select
    picked_on,
    count(*) as crates,
    sum(price) as earned
from {{ ref('crates') }}
{% if is_incremental() %}
where picked_on >= (select max(picked_on) from {{ this }})
{% endif %}
group by picked_on
