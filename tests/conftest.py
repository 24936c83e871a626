"""The environment of every test, the profiles of Hypothesis, and how tests are distributed among workers."""

from __future__ import annotations

import gc
import os
import re
import signal

import pytest
from hypothesis import settings

from tests.search import DEEP, QUICK, SAMPLE

pytest_plugins = ["tests.browser", "tests.engines.server", "tests.reporting.shown"]

# A shell that starts a job in the background lets it ignore Ctrl-C, and the job's children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Settings of the machine, or of a developer's own instance, must not change what a test sees. Without compiled
# modules each program that a test starts would compile all of the pipeline first.
_SET_BY_THE_MACHINE = re.compile(
    r"(?:.+_PROXY|SSL_CERT_FILE|SSL_CERT_DIR|SSLKEYLOGFILE|REQUEST_METHOD|ACCESS_REVIEW_.+|PYTHONDONTWRITEBYTECODE)",
    re.IGNORECASE,
)
for _name in [name for name in os.environ if _SET_BY_THE_MACHINE.fullmatch(name)]:
    del os.environ[_name]

settings.register_profile(QUICK, derandomize=True, deadline=None)
for _profile in (SAMPLE, DEEP):
    settings.register_profile(_profile, deadline=None, print_blob=True)
settings.load_profile(QUICK)

#: Fixtures that take seconds to make and that several modules share. All tests that use one run on one worker, so
#: that it is made once. The same holds for the tests of one module that share a fixture of that module.
_MADE_ONCE = ("finished", "organisation", "prepared", "extracted", "ran", "printed")
#: The longest tests start first, so that no worker is left with one of them at the end.
_FIRST = ("tests/e2e/", "tests/packaging/", "tests/reporting/")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue
        fixtures = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
        if group := next((name for name in _MADE_ONCE if name in fixtures), None):
            item.add_marker(pytest.mark.xdist_group(group))
        elif any(definitions[-1].scope == "module" for definitions in fixtures.values()):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
    items.sort(key=lambda item: not item.nodeid.startswith(_FIRST))
    for item in items:
        if hasattr(item.config, "workerinput"):  # xdist runs it
            _name_its_group(item)


def pytest_xdist_auto_num_workers() -> int:
    """Start one worker more than there are processors: tests also wait, for a pause or for a server."""
    return len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)) + 1


def pytest_collection_finish() -> None:
    """Exempt what was collected from garbage collection: searching it takes 0.2 s, and a PDF asks for that twice."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    gc.unfreeze()  # what the libraries hold is freed at the end, or they report leaks


def _name_its_group(item: pytest.Item) -> None:
    """Append the group to the id of a test, where the scheduler of xdist reads it.

    xdist 3.8 does the same with an attribute that pytest no longer reads since 9.2. Without this, each test is a
    group of its own, and what several tests share is made once for each worker.
    """
    if marker := item.get_closest_marker("xdist_group"):
        grouped = f"{item.nodeid}@{marker.args[0]}"
        item._id = type(item.id).parse(grouped)
        assert item.nodeid == grouped
