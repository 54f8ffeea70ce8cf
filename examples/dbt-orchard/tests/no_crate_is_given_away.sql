-- Rows that it returns are failures.
select crate_id, price
from {{ ref('crates') }}
where price <= 0
