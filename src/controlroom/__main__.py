"""`python -m controlroom` is the same as `controlroom`."""

from controlroom.cli.main import main

main()
