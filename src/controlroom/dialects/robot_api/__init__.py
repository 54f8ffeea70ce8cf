"""Our own API for robots at work: what a robot does with its items, by the token of its step run."""
