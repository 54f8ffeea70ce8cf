"""A source of Automation 360 Control Rooms, the vendor's and ours (`source.py`)."""
