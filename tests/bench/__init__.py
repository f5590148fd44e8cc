"""The benchmark: ``python -m tests.bench``. Every figure is a ratio to a limit of the same run."""
