"""One program each, `python -m tests.benchmarks.contestants.NAME URL FOLDER`: the same rows by other ways."""
