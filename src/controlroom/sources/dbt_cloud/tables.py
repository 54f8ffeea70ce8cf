"""The tables of what the Administrative API tells, one column for each field that it is known to tell.

Times are UTC. Ids are the vendor's: a run's `job_definition_id` is the id of a row of `jobs`. Rows that were
deleted have `state` 2 where the API still tells of them.
"""

import re
from typing import Any, Final

from controlroom.sources.columns import FLAG, INTEGER, JSON, NUMBER, TEXT, TIME, Column, Table, child
from controlroom.sources.dbt_cloud.artifact_tables import RUN_ARTIFACT_GET, RUN_ARTIFACTS

_CLOCK: Final = re.compile(r"(\d+):(\d\d):(\d\d)(?:\.\d+)?")


def seconds(text: Any) -> int | None:
    """How many seconds `HH:MM:SS` is; hours may pass 24."""
    found = _CLOCK.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        return None
    hours, minutes, rest = (int(part) for part in found.groups())
    return (hours * 60 + minutes) * 60 + rest


# ---------------------------------------------------------------------------------------------- the account and people
_OF_ACCOUNT: Final = (
    Column("id", INTEGER, "The id of the account."),
    Column("name", TEXT, "What it is called."),
    Column("state", INTEGER, "1 is active, 2 is deleted."),
    Column("plan", TEXT, "What was bought: developer, team, enterprise, free, trial …"),
    Column("identifier", TEXT, "Its id as text, `act_…`."),
    Column("run_slots", INTEGER, "How many runs may go on at the same time."),
    Column("developer_seats", INTEGER, "How many people may develop."),
    Column("it_seats", INTEGER, "How many may administer."),
    Column("explorer_seats", INTEGER, "How many may explore."),
    Column("analyst_seats", INTEGER, "How many may analyse."),
    Column("read_only_seats", INTEGER, "How many may only read."),
    Column("locked", FLAG, "Whether the account is locked."),
    Column("lock_reason", TEXT, "Why it is locked."),
    Column("lock_cause", TEXT, "What has locked it."),
    Column("unlocked_at", TIME, "When it was unlocked."),
    Column("pending_cancel", FLAG, "Whether its end has been asked for."),
    Column("billing_email_address", TEXT, "Where the bills go."),
    Column("pod_memory_request_mebibytes", INTEGER, "Memory of a run, in MiB."),
    Column("develop_pod_memory_request_mebibytes", INTEGER, "Memory of a developer's session, in MiB."),
    Column("run_duration_limit_seconds", INTEGER, "The longest that a run may take."),
    Column("queue_limit", INTEGER, "How many runs may wait."),
    Column("enterprise_login_slug", TEXT, "The last part of the address for single sign-on."),
    Column("business_critical", FLAG, "Whether it was bought with that promise."),
    Column("starter_repo_url", TEXT, "The repository that new projects begin with."),
    Column("git_auth_level", TEXT, "How repositories are reached."),
    Column("trial_end_date", TIME, "When the trial ends."),
    Column("static_subdomain", TEXT, "The subdomain that never changes."),
    Column("vanity_subdomain", TEXT, "The subdomain that was chosen."),
    Column("run_locked_until", TIME, "Until when no run may begin."),
    Column("copilot_locked_until", TIME, "Until when the assistant is locked."),
    Column("agent_credit_locked", FLAG, "Whether the agents' credit is used up."),
    Column("docs_job_id", INTEGER, "The job whose documentation is shown."),
    Column("freshness_job_id", INTEGER, "The job whose freshness is shown."),
    Column("account_migration_events", JSON, "What is told of its moves."),
    Column("groups", JSON, "Its groups, where they are told."),
    Column("created_at", TIME, "When it was made."),
    Column("updated_at", TIME, "When it was last changed."),
)
ACCOUNT: Final = Table(
    name="account", description="The account that the token is for, in full.", key=("id",), columns=_OF_ACCOUNT
)
ACCOUNTS: Final = Table(
    name="accounts", description="The accounts that the token opens.", key=("id",), columns=_OF_ACCOUNT
)
USERS: Final = Table(
    name="users",
    description="The people of the account.",
    key=("id",),
    columns=(
        Column("id", INTEGER, "The id of the user."),
        Column("state", INTEGER, "1 is active, 2 is deleted."),
        Column("name", TEXT, "First and last name."),
        Column("username", TEXT, "The name to log in with."),
        Column("first_name", TEXT, "First name."),
        Column("last_name", TEXT, "Last name."),
        Column("fullname", TEXT, "First and last name, as shown."),
        Column("email", TEXT, "Address."),
        Column("is_active", FLAG, "Whether the user may log in."),
        Column("is_staff", FLAG, "Whether the user is of the vendor's staff."),
        Column("last_login", TIME, "When the user last logged in."),
        Column("created_at", TIME, "When the user was made."),
        Column("apitoken_last_used", TIME, "When one of the user's tokens was last used."),
        Column("email_connected", FLAG, "Whether the user has an address."),
        Column("email_verified", FLAG, "Whether it is known to be the user's."),
        Column("sso_only_user", FLAG, "Whether the user has no password."),
        Column("enterprise_connected", FLAG, "Whether the user comes by single sign-on."),
        Column("enterprise_authentication_method", TEXT, "By which."),
        Column("github_connected", FLAG, "Whether a GitHub user is known."),
        Column("github_username", TEXT, "Which."),
        Column("gitlab_connected", FLAG, "Whether a GitLab user is known."),
        Column("gitlab_username", TEXT, "Which."),
        Column("azure_active_directory_connected", FLAG, "Whether a user of Azure is known."),
        Column("azure_active_directory_username", TEXT, "Which."),
        Column("slack_connected", FLAG, "Whether a user of Slack is known."),
        Column("permissions", JSON, "What the user may do, an entry an account: licence and groups."),
        Column("licenses", JSON, "The user's licence, by account."),
    ),
    passed_over=frozenset(
        {
            "github_token_retrieval_failure",
            "gitlab_token_retrieval_failure",
            "azure_active_directory_token_retrieval_failure",
            "show_existing_user_email_verification",
            "auth_provider_infos",
        }
    ),
)

# ------------------------------------------------------------------------------------------------------- projects
PROJECTS: Final = Table(
    name="projects",
    description="Projects, those that were deleted, too.",
    key=("id",),
    columns=(
        Column("id", INTEGER, "The id of the project."),
        Column("account_id", INTEGER, "Of which account it is."),
        Column("name", TEXT, "What it is called."),
        Column("description", TEXT, "What it is for."),
        Column("state", INTEGER, "1 is active, 2 is deleted."),
        Column("type", INTEGER, "0 is usual, 1 is hybrid."),
        Column("connection_id", INTEGER, "The connection that it works on."),
        Column("repository_id", INTEGER, "The repository that it stands in."),
        Column("semantic_layer_config_id", INTEGER, "Its semantic layer."),
        Column("dbt_project_subdirectory", TEXT, "The folder of the repository that it stands in."),
        Column("docs_job_id", INTEGER, "The job whose documentation is shown."),
        Column("freshness_job_id", INTEGER, "The job whose freshness is shown."),
        Column("created_at", TIME, "When it was made."),
        Column("updated_at", TIME, "When it was last changed."),
    ),
    passed_over=frozenset(
        {
            "connection",
            "repository",
            "environments",
            "group_permissions",
            "docs_job",
            "freshness_job",
            "fusion_readiness",
            "skipped_setup",
            "default_version",
        }
    ),
)
ENVIRONMENTS: Final = Table(
    name="environments",
    description="Environments of the projects, those that were deleted, too.",
    key=("id",),
    columns=(
        Column("id", INTEGER, "The id of the environment."),
        Column("account_id", INTEGER, "Of which account it is."),
        Column("project_id", INTEGER, "Of which project it is."),
        Column("name", TEXT, "What it is called."),
        Column("state", INTEGER, "1 is active, 2 is deleted."),
        Column("type", TEXT, "development or deployment."),
        Column("deployment_type", TEXT, "production, staging, or none."),
        Column("dbt_version", TEXT, "The version of dbt that runs there."),
        Column("raw_dbt_version", TEXT, "Likewise, as it was written."),
        Column("connection_id", INTEGER, "The connection that it works on."),
        Column("credentials_id", INTEGER, "Who logs in."),
        Column("extended_attributes_id", INTEGER, "What is added to the connection."),
        Column("primary_profile_id", INTEGER, "The pair of connection and credentials."),
        Column("repository_id", INTEGER, "The repository, as version 2 tells it."),
        Column("dbt_project_subdirectory", TEXT, "The folder of the repository, as version 2 tells it."),
        Column("created_by_id", INTEGER, "Who made it, as version 2 tells it."),
        Column("custom_branch", TEXT, "The branch that it takes in place of the repository's."),
        Column("use_custom_branch", FLAG, "Whether it does."),
        Column("supports_docs", FLAG, "Whether documentation can be made."),
        Column("is_deferrable", FLAG, "Whether others may defer to it."),
        Column("enable_model_query_history", FLAG, "Whether queries are counted."),
        Column("enable_dbt_state", FLAG, "Whether state is kept."),
        Column("created_at", TIME, "When it was made."),
        Column("updated_at", TIME, "When it was last changed."),
    ),
    passed_over=frozenset(
        {
            "project",
            "credentials",
            "custom_environment_variables",  # they may be secret
            "repository",
            "connection",
            "jobs",
            "fusion_readiness",
        }
    ),
)
REPOSITORIES: Final = Table(
    name="repositories",
    description="Repositories of the projects, those that were deleted, too.",
    key=("id",),
    columns=(
        Column("id", INTEGER, "The id of the repository."),
        Column("account_id", INTEGER, "Of which account it is."),
        Column("project_id", INTEGER, "Of which project it is."),
        Column("full_name", TEXT, "Whose it is, and its name."),
        Column("name", TEXT, "Its name."),
        Column("remote_url", TEXT, "Where it is cloned from."),
        Column("web_url", TEXT, "Where it is looked at."),
        Column("remote_backend", TEXT, "ado, github, gitlab, managed or manual_config."),
        Column("git_clone_strategy", TEXT, "How the room proves itself."),
        Column("deploy_key_id", INTEGER, "The deploy key."),
        Column("repository_credentials_id", INTEGER, "The credentials."),
        Column("github_repo", TEXT, "Its name at GitHub."),
        Column("github_installation_id", INTEGER, "The installation at GitHub."),
        Column("github_webhook_id", TEXT, "The webhook at GitHub."),
        Column("gitlab_project_id", INTEGER, "The project at GitLab."),
        Column("pull_request_url_template", TEXT, "How a pull request's address is made."),
        Column("git_provider_id", INTEGER, "Who keeps it."),
        Column("is_private_link_enabled", FLAG, "Whether it is reached by a private link."),
        Column("state", INTEGER, "1 is active, 2 is deleted."),
        Column("created_at", TIME, "When it was made."),
        Column("updated_at", TIME, "When it was last changed."),
    ),
    passed_over=frozenset({"deploy_key", "git_provider", "private_link_endpoint_id"}),
)
CONNECTIONS: Final = Table(
    name="connections",
    description="Connections, once for each project that works on them, those that were deleted, too.",
    key=("project_id", "id"),
    columns=(
        Column("id", INTEGER, "The id of the connection."),
        Column("account_id", INTEGER, "Of which account it is."),
        Column("project_id", INTEGER, "The project that works on it.", at="project_id"),
        Column("name", TEXT, "What it is called."),
        Column("type", TEXT, "postgres, redshift, snowflake, bigquery or adapter."),
        Column("adapter_version", TEXT, "What speaks to the database, `postgres_v0`."),
        Column("details", JSON, "Where it leads; never a password."),
        Column("created_by_id", INTEGER, "Who made it."),
        Column("created_by_service_token_id", INTEGER, "Likewise, if it was a token."),
        Column("private_link_endpoint_id", TEXT, "The private link."),
        Column("oauth_configuration_id", INTEGER, "How people log in."),
        Column("state", INTEGER, "1 is active, 2 is deleted."),
        Column("created_at", TIME, "When it was made."),
        Column("updated_at", TIME, "When it was last changed."),
    ),
    passed_over=frozenset({"config", "environment__count", "is_ssh_tunnel_enabled", "hostname"}),
)

# ----------------------------------------------------------------------------------------------------------- jobs
_OF_JOB: Final = (
    Column("id", INTEGER, "The id of the job."),
    Column("account_id", INTEGER, "Of which account it is."),
    Column("project_id", INTEGER, "Of which project it is."),
    Column("environment_id", INTEGER, "In which environment it runs."),
    Column("name", TEXT, "What it is called."),
    Column("description", TEXT, "What it is for."),
    Column("state", INTEGER, "1 is active, 2 is deleted."),
    Column("job_type", TEXT, "ci, scheduled, other, merge …"),
    Column("dbt_version", TEXT, "The version of dbt; none is the environment's."),
    Column("raw_dbt_version", TEXT, "Likewise, as it was written."),
    Column("execute_steps", JSON, "Its commands, in order; as rows in `job_steps`."),
    Column(
        "timeout_seconds", INTEGER, "The longest that a run may take; 0 is no limit.", at="execution.timeout_seconds"
    ),
    Column("threads", INTEGER, "How many nodes are worked on at a time.", at="settings.threads"),
    Column("target_name", TEXT, "What `target.name` is in the project.", at="settings.target_name"),
    Column("is_scheduled", FLAG, "Whether its schedule is on.", at="triggers.schedule"),
    Column("on_pull_request", FLAG, "Whether pull requests start it.", at="triggers.github_webhook"),
    Column("on_push", FLAG, "Whether pushes start it.", at="triggers.git_provider_webhook"),
    Column("on_merge", FLAG, "Whether merges start it.", at="triggers.on_merge"),
    Column("cron", TEXT, "When it is due, in UTC.", at="schedule.cron"),
    Column("cron_humanized", TEXT, "Likewise, in words."),
    Column("schedule", JSON, "Its schedule, as it was written."),
    Column("next_run", TIME, "When it is due next."),
    Column("generate_docs", FLAG, "Whether documentation is made."),
    Column("run_generate_sources", FLAG, "Whether freshness is looked at."),
    Column("run_lint", FLAG, "Whether it lints."),
    Column("errors_on_lint_failure", FLAG, "Whether a run fails by that."),
    Column("run_compare_changes", FLAG, "Whether changes are compared."),
    Column("compare_changes_flags", TEXT, "Which."),
    Column("triggers_on_draft_pr", FLAG, "Whether drafts of pull requests start it, too."),
    Column("deferring_job_definition_id", INTEGER, "The job that it defers to."),
    Column("deferring_environment_id", INTEGER, "The environment that it defers to."),
    Column("is_deferrable", FLAG, "Whether others may defer to it."),
    Column("job_completion_trigger_condition", JSON, "Whose ends start it."),
    Column(
        "follows_job_id",
        INTEGER,
        "The job whose ends start it.",
        at="job_completion_trigger_condition.condition.job_id",
    ),
    Column("cost_optimization_features", JSON, "What it saves by."),
    Column("force_node_selection", FLAG, "Whether nodes are chosen as written."),
    Column("is_fusion_ready_override", FLAG, "Whether it was said to be ready for Fusion."),
    Column("lifecycle_webhooks", FLAG, "Whether the older webhooks are sent."),
    Column("lifecycle_webhooks_url", TEXT, "Where to."),
    Column("run_failure_count", INTEGER, "How many runs have failed one after the other."),
    Column("deactivated", FLAG, "Whether it was switched off."),
    Column("deactivation_reason", TEXT, "Why."),
    Column("is_system", FLAG, "Whether the vendor made it."),
    Column("created_at", TIME, "When it was made."),
    Column("updated_at", TIME, "When it was last changed."),
)
_OF_JOB_PASSED_OVER: Final = frozenset(
    {
        "generate_sources",
        "next_run_humanized",
        "account",
        "project",
        "environment",
        "fusion_readiness",
        "custom_environment_variables",  # they may be secret
        "integration_id",
        "triggers.custom_branch_only",
        "created_at_humanized",
        "updated_at_humanized",
    }
)
JOBS: Final = Table(
    name="jobs",
    description="Jobs, those that were deleted, too.",
    key=("id",),
    columns=_OF_JOB,
    passed_over=_OF_JOB_PASSED_OVER | {"most_recent_run", "most_recent_completed_run"},
    children=(
        child(
            "execute_steps",
            Table(
                name="job_steps",
                description="The commands of jobs.",
                key=("job_id", "position"),
                columns=(
                    Column("job_id", INTEGER, "Of which job it is.", at="^.id"),
                    Column("position", INTEGER, "Its place among the job's, from 0.", at="#"),
                    Column("command", TEXT, "The command, verbatim.", at="."),
                ),
            ),
            parent=("job_id",),
        ),
    ),
)
JOB: Final = Table(
    name="job",
    description="Jobs one by one, each with its latest runs; those that were deleted are not told of.",
    key=("id",),
    columns=(
        *_OF_JOB,
        Column("most_recent_run_id", INTEGER, "Its latest run."),
        Column("most_recent_run_status", INTEGER, "How that stands."),
        Column("most_recent_completed_run_id", INTEGER, "Its latest run that has ended."),
        Column("most_recent_completed_run_status", INTEGER, "How that ended."),
    ),
    passed_over=_OF_JOB_PASSED_OVER,
)

# ----------------------------------------------------------------------------------------------------------- runs
_OF_RUN: Final = (
    Column("id", INTEGER, "The id of the run."),
    Column("trigger_id", INTEGER, "What started it: a row of `run_triggers`."),
    Column("account_id", INTEGER, "Of which account it is."),
    Column("project_id", INTEGER, "Of which project it is."),
    Column("environment_id", INTEGER, "In which environment it ran."),
    Column("job_definition_id", INTEGER, "Of which job it is."),
    Column("job_id", INTEGER, "Likewise."),
    Column("status", INTEGER, "1 queued, 2 starting, 3 running, 10 success, 20 error, 30 cancelled."),
    Column("status_humanized", TEXT, "Likewise, as a word."),
    Column("status_message", TEXT, "Why it ended so."),
    Column("in_progress", FLAG, "Whether it goes on."),
    Column("is_complete", FLAG, "Whether it has ended."),
    Column("is_success", FLAG, "Whether it has ended well."),
    Column("is_error", FLAG, "Whether it has failed."),
    Column("is_cancelled", FLAG, "Whether it was cancelled."),
    Column("is_running", FLAG, "Whether it runs, where that is told."),
    Column("dbt_version", TEXT, "The version of dbt."),
    Column("git_branch", TEXT, "The branch."),
    Column("git_sha", TEXT, "The commit."),
    Column("owner_thread_id", TEXT, "Who works it."),
    Column("executed_by_thread_id", TEXT, "Who has worked it."),
    Column("deferring_run_id", INTEGER, "The run that it defers to."),
    Column("retrying_run_id", INTEGER, "The run that it goes on from."),
    Column("blocked_by", JSON, "The runs that it waits for."),
    Column("artifacts_saved", FLAG, "Whether it has left files."),
    Column("artifact_s3_path", TEXT, "Where they are kept."),
    Column("has_docs_generated", FLAG, "Whether it has made documentation."),
    Column("has_sources_generated", FLAG, "Whether it has looked at freshness."),
    Column("notifications_sent", FLAG, "Whether people were told."),
    Column("created_at", TIME, "When it was asked for."),
    Column("updated_at", TIME, "When it last changed."),
    Column("should_start_at", TIME, "When it was to begin."),
    Column("dequeued_at", TIME, "When somebody took it."),
    Column("started_at", TIME, "When its first command began."),
    Column("finished_at", TIME, "When it ended; the cursor of loads."),
    Column("last_checked_at", TIME, "When it was last looked at."),
    Column("last_heartbeat_at", TIME, "When it last gave a sign of life."),
    Column("duration", TEXT, "From when it was asked for to its end, `HH:MM:SS`."),
    Column("queued_duration", TEXT, "What of it went by before its first command."),
    Column("run_duration", TEXT, "What of it its commands took."),
    Column("duration_seconds", INTEGER, "`duration`, in seconds.", at="duration", read=seconds),
    Column("queued_duration_seconds", INTEGER, "`queued_duration`, in seconds.", at="queued_duration", read=seconds),
    Column("run_duration_seconds", INTEGER, "`run_duration`, in seconds.", at="run_duration", read=seconds),
    Column("can_retry", FLAG, "Whether it can go on where it failed."),
    Column("retry_not_supported_reason", TEXT, "Why not."),
    Column("href", TEXT, "Where a person looks at it."),
)
_OF_RUN_PASSED_OVER: Final = frozenset(
    {
        "duration_humanized",
        "queued_duration_humanized",
        "run_duration_humanized",
        "created_at_humanized",
        "finished_at_humanized",
        "deprecation",
        "repo_cache_restore",
    }
)


def _of_the_run(what: str) -> tuple[Column, ...]:
    return (
        Column("run_id", INTEGER, f"Of which run {what} is.", at="^.id"),
        Column("job_definition_id", INTEGER, "Of which job that is.", at="^.job_definition_id"),
        Column("project_id", INTEGER, "Of which project.", at="^.project_id"),
        Column("environment_id", INTEGER, "In which environment.", at="^.environment_id"),
    )


RUN_TRIGGERS: Final = Table(
    name="run_triggers",
    description="What has started runs, and what they have in place of what their jobs say.",
    key=("run_id",),
    columns=(
        Column("id", INTEGER, "The id of the trigger."),
        *_of_the_run("it"),
        Column("cause", TEXT, "Why, in words."),
        Column("cause_category", TEXT, "api, ci, scheduled, ui, rerun, job completion, merge …"),
        Column("git_branch", TEXT, "The branch that was asked for."),
        Column("git_sha", TEXT, "The commit that was asked for."),
        Column("azure_pull_request_id", INTEGER, "The pull request."),
        Column("github_pull_request_id", INTEGER, "The pull request."),
        Column("gitlab_merge_request_id", INTEGER, "The merge request."),
        Column("non_native_pull_request_id", INTEGER, "The pull request, of another provider."),
        Column("schema_override", TEXT, "The schema."),
        Column("dbt_version_override", TEXT, "The version of dbt."),
        Column("threads_override", INTEGER, "The number of threads."),
        Column("target_name_override", TEXT, "The name of the target."),
        Column("generate_docs_override", FLAG, "Whether documentation is made."),
        Column("timeout_seconds_override", INTEGER, "The longest that it may take."),
        Column("steps_override", JSON, "The commands."),
        Column("created_at", TIME, "When it was."),
    ),
    passed_over=frozenset({"job_definition_id", "run", "steps_override_humanized"}),
)
RUN_TIMINGS: Final = Table(
    name="run_timings",
    description="The parts of a run's time: queued, starting, running; one that is not over has no end.",
    key=("run_id", "part"),
    columns=(
        *_of_the_run("the part"),
        Column(
            "part", TEXT, "queued: until somebody took it; starting: until its first command; running: until its end."
        ),
        Column("started_at", TIME, "When the part began."),
        Column("ended_at", TIME, "When it was over."),
        Column("seconds", NUMBER, "How long it took."),
    ),
)
RUNS: Final = Table(
    name="runs",
    description="Runs: those that have ended since the last load, and all that go on.",
    key=("id",),
    columns=_OF_RUN,
    passed_over=_OF_RUN_PASSED_OVER
    | {"trigger", "job", "environment", "repository", "audit", "run_steps", "run_retries", "used_repo_cache"},
    children=(
        child("triggers", RUN_TRIGGERS, parent=("run_id",)),
        child("timings", RUN_TIMINGS, parent=("run_id",)),
    ),
)
RUN_STEPS: Final = Table(
    name="run_steps",
    description="The steps of runs: clone, profile, deps, then a command each.",
    key=("run_id", "index"),
    columns=(
        Column("id", INTEGER, "The id of the step."),
        *_of_the_run("it"),
        Column("index", INTEGER, "Its place in the run, from 1; artifacts name it as `step`."),
        Column("name", TEXT, "What it is called."),
        Column("command", TEXT, "Its command, verbatim.", at="run_step_command.dbt_command"),
        Column("status", INTEGER, "1 waits, 3 running, 10 success, 20 error, 30 cancelled or skipped."),
        Column("status_humanized", TEXT, "Likewise, as a word."),
        Column("logs", TEXT, "What it has printed, where `step_logs` asks for it."),
        Column("created_at", TIME, "When it was made."),
        Column("updated_at", TIME, "When it last changed."),
        Column("started_at", TIME, "When it began."),
        Column("finished_at", TIME, "When it ended."),
        Column("duration", TEXT, "How long it took, `HH:MM:SS`."),
        Column("duration_seconds", INTEGER, "Likewise, in seconds.", at="duration", read=seconds),
    ),
    passed_over=frozenset(
        {
            "run_id",
            "account_id",
            "status_color",
            "debug_logs",
            "truncated_debug_logs",
            "log_path",
            "debug_log_path",
            "log_location",
            "log_archive_type",
            "duration_humanized",
            "run_step_command.run_step_id",
            "run_step_invocation",
            "trigger",
            "job",
        }
    ),
)
RUN: Final = Table(
    name="run",
    description="Runs one by one, with what is told only of a single one.",
    key=("id",),
    columns=(
        *_OF_RUN,
        Column("triggered_by_id", INTEGER, "Who started it.", at="audit.trigger.actor.id"),
        Column("triggered_by_type", TEXT, "What that is: a user, a token.", at="audit.trigger.actor.type"),
        Column("triggered_by", TEXT, "What that is called.", at="audit.trigger.actor.name"),
        Column("cancelled_by_id", INTEGER, "Who cancelled it.", at="audit.cancellation.actor.id"),
        Column("cancelled_by", TEXT, "What that is called.", at="audit.cancellation.actor.name"),
        Column("retried_by", JSON, "The runs that have gone on from it."),
        Column("steps", JSON, "Its steps in short: index, name and status; as rows in `run_steps`."),
        Column("used_repo_cache", FLAG, "Whether a kept copy of the repository was used."),
    ),
    passed_over=_OF_RUN_PASSED_OVER | {"trigger", "job", "environment", "repository", "audit", "run_retries"},
    children=(child("run_steps", RUN_STEPS, parent=("run_id",)),),
)

TABLES: Final = (
    *(ACCOUNT, ACCOUNTS, USERS, PROJECTS, ENVIRONMENTS, CONNECTIONS, REPOSITORIES, JOBS, JOB, RUNS, RUN),
    *(RUN_ARTIFACTS, RUN_ARTIFACT_GET),
)
"""The tables of the resources; `artifact_tables.PARTS` are those that files are unpacked into."""
