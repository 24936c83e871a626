"""``python -m pipeline`` is ``access-review``."""

from pipeline.cli.main import main

main()
