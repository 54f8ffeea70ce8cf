"""How long is fuzzed, and from where: as the caller says."""

import random
from os import environ

MANY = int(environ.get("FUZZ_EXAMPLES", "40"))
SEED = int(environ.get("FUZZ_SEED", "0")) or random.randrange(1, 10**9)
