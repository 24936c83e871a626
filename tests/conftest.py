"""What every test may rely on, wherever it was started from."""

from __future__ import annotations

import signal

# A shell that starts a job in the background lets it ignore Ctrl-C, and the job's children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
