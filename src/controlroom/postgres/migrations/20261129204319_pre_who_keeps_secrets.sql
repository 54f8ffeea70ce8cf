-- The system's roles that carry a grammar's name for keeping secrets of the organization keep them, and who looks after all
-- lockers governs them.
update role set permissions = permissions || '{secrets.own}'
 where 'automation360:credentials.managecredentials' = any (permissions) and not 'secrets.own' = any (permissions);
update role set permissions = permissions || '{lockers.govern}'
 where 'automation360:locker.all' = any (permissions) and not 'lockers.govern' = any (permissions);
