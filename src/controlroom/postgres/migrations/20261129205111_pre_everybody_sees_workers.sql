-- Whoever has one of these roles sees the organization's workers: to know where what they may run can run.
update role set permissions = permissions || '{workers.read}', updated_at = clock_now(), revision = revision + 1
 where organization_id is null and name in ('basic', 'locker admin', 'queue admin', 'developer', 'insights admin',
                                             'process admin', 'process user', 'validator');
