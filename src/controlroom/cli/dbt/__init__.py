"""`controlroom dbt …`: what a team that runs dbt needs at the prompt. Each noun is a module here, added below."""

from cyclopts import App

from controlroom.cli.dbt.artifacts import app as artifacts
from controlroom.cli.dbt.connections import app as connections
from controlroom.cli.dbt.docs import docs
from controlroom.cli.dbt.environments import app as environments
from controlroom.cli.dbt.jobs import app as jobs
from controlroom.cli.dbt.push import push
from controlroom.cli.dbt.runs import app as runs
from controlroom.cli.dbt.runs import logs
from controlroom.cli.dbt.slots import slots
from controlroom.cli.dbt.tokens import app as tokens
from controlroom.cli.dbt.variables import app as variables

app = App(name="dbt")
app.command(push)
app.command(jobs)
app.command(runs)
app.command(logs)
app.command(artifacts)
app.command(docs)
app.command(connections)
app.command(environments)
app.command(variables)
app.command(slots)
app.command(tokens)
