"""Our own API for robots at work: what a robot works on and needs, by the token of its step run."""
