"""What every test may rely on, wherever it was started from."""

from __future__ import annotations

import os
import re
import signal

# A shell that starts a job in the background lets it ignore Ctrl-C, and the job's children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# What a machine sets for everybody, and what a developer has set for their own instance, is no part of a test.
_THE_MACHINES = re.compile(
    r"(?:.+_PROXY|SSL_CERT_FILE|SSL_CERT_DIR|SSLKEYLOGFILE|REQUEST_METHOD|ACCESS_REVIEW_.+)", re.IGNORECASE
)
for _name in [name for name in os.environ if _THE_MACHINES.fullmatch(name)]:
    del os.environ[_name]
