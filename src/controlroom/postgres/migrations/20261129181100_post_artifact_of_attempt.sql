-- Two phases of an attempt may each leave a file of one name; servers of before look for the constraint they wrote by.

alter table artifact drop constraint artifact_step_run_id_attempt_name_key;
