"""How a worker runs a dbt project: its tool, its profile, its commands, and what they leave."""
