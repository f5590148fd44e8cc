"""The ``jejak`` command as a child that ends with the benchmark: the same words, the same code."""

from __future__ import annotations

from deploy.cli import main
from tests.bench.processes import die_with_parent

if __name__ == "__main__":
    die_with_parent()
    main()
