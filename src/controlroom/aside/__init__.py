"""Work with a caller's input that may take long: done aside, in processes that can be killed. See `pool.py`."""
