-- What was missed or failed lately is looked for among the starts of all schedules; most went well, and pay nothing for it.
create index schedule_occurrence_wrong on schedule_occurrence (due, schedule_id) where state in ('missed', 'failed');
