"""Calls that other processes make: the same results and errors as here, and no process left behind."""

from __future__ import annotations

import atexit
import functools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import RenderError
from pipeline.reporting.processes import Pool, cores

_SCRIPT = """
import os
from pipeline.reporting.processes import Pool
print("begun")
with Pool(1) as pool:
    task = pool.submit(os.getpid)
    while not task.is_done:
        pass
    print(task.result() != os.getpid())
"""


def of_another(pool: Pool, function, *arguments):
    """Return what another process returns, without making the call here."""
    task = pool.submit(function, *arguments)
    task._done.wait(60)
    return task.result()


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.fixture(scope="module")
def pool():
    with Pool(1) as started:
        yield started


def test_a_call_is_made_by_another_process(pool):
    assert of_another(pool, os.getpid) not in {os.getpid(), None}


def test_an_error_arrives_as_it_was_raised(pool):
    with pytest.raises(RenderError) as caught:
        of_another(pool, fail, "it broke")

    assert (caught.value.message, caught.value.where, caught.value.hint) == ("it broke", "there", "mend it")


def test_a_bug_arrives_with_its_traceback(pool):
    with pytest.raises(KeyError) as caught:
        of_another(pool, {}.__getitem__, "missing")

    assert "processes.py" in caught.value.__notes__[0]


def test_the_error_of_a_full_disk_keeps_its_number_and_file(pool):
    with pytest.raises(OSError, match="Is a directory") as caught:
        of_another(pool, os.open, "/", os.O_WRONLY)

    assert (caught.value.errno, caught.value.filename) == (21, "/")


def test_what_cannot_be_sent_is_an_error(pool):
    with pytest.raises(Exception, match="lambda"):
        of_another(pool, lambda: 1)
    with pytest.raises(RuntimeError, match="cannot be sent"):
        of_another(pool, open, "/dev/null")
    assert of_another(pool, len, "still there") == 11


def test_secrets_of_the_program_stay_in_this_process(monkeypatch):
    monkeypatch.setenv("ACCESS_REVIEW_PROD_TOKEN", "s3cret")

    with Pool(1) as pool:
        assert of_another(pool, os.getenv, "ACCESS_REVIEW_PROD_TOKEN") is None


def test_without_processes_calls_are_made_here():
    with Pool(0) as pool:
        first, second = pool.submit(os.getpid), pool.submit(len, "ab")

        assert pool.help()
        assert (first.result(), second.result()) == (os.getpid(), 2)
        assert not pool.help()


def test_what_a_process_prints_is_not_the_output_of_the_command(capfd):
    with Pool(1) as pool:
        of_another(pool, print, "advice")

    assert capfd.readouterr().out == ""


def test_a_process_that_has_no_more_to_do_ends_silently(capfd):
    prints_at_its_end = functools.partial(atexit.register, os.write, 2, b"what a library says at the end")
    with Pool(1, prints_at_its_end) as pool:
        pool.close()
        assert pool._children[0].wait(30) == 0

    assert capfd.readouterr().err == ""


def test_a_killed_process_is_an_error_that_says_so():
    with Pool(1) as pool, pytest.raises(RenderError, match="SIGKILL") as caught:
        of_another(pool, signal.raise_signal, signal.SIGKILL)

    assert "memory" in caught.value.hint


def test_an_interruption_ends_processes_that_are_working():
    pids = []

    with pytest.raises(KeyboardInterrupt), Pool(1) as pool:
        interrupt(pool, pids)

    assert not any(map(is_running, pids))


def test_a_script_that_uses_the_library_is_not_run_a_second_time(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT)

    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=True)

    assert ran.stdout.split() == ["begun", "True"]
    assert ran.stderr == ""


def test_no_more_processors_are_counted_than_this_process_may_use():
    assert 1 <= cores() <= (os.cpu_count() or 1)


def interrupt(pool: Pool, pids: list[int]) -> None:
    pids.append(of_another(pool, os.getpid))
    pool.submit(signal.pause)
    raise KeyboardInterrupt


def fail(message: str) -> None:
    raise RenderError(message, where="there", hint="mend it")
