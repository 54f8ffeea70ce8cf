"""What tests of projects share lies beside them and is imported by its name."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
