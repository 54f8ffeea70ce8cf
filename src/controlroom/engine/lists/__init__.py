"""One way from an asked list to the rows that it is: see docs/domain/lists.md."""
