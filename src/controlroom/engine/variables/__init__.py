"""Variables: values by name that robots and commands find in their environment, by four scopes."""
