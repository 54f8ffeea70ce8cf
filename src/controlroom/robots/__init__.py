"""Reads robots as their authors write them: robot.yaml, environment files, packages. Knows files and nothing else."""
