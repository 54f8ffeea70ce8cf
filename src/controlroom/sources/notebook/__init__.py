"""A notebook over loaded tables: what ran, what failed and why, what waited, how busy the workers were.

`controlroom explore` opens it. Needs the extra `notebook`.
"""
