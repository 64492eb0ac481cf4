"""Limits by the processor time that a child process uses, not by the clock: a busy machine changes no forecast."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

try:
    import resource
except ImportError:  # Windows knows no such limits: there the clock alone counts
    resource = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Sequence


def run_within(
    command: Sequence[str], *, processor_seconds: float, clock_seconds: float
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end. Raises TimeoutError where it uses more than either.

    The processor time is a whole number of seconds, at least one, and held by the system itself.
    """
    with subprocess.Popen(  # noqa: S603 - the program's own
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        most = max(1, ceil(processor_seconds))
        if hasattr(resource, "prlimit"):
            with suppress(OSError, ValueError):  # where it has ended already, or may not be limited
                resource.prlimit(child.pid, resource.RLIMIT_CPU, (most, most + 1))
        try:
            out, err = child.communicate(timeout=clock_seconds)
        except subprocess.TimeoutExpired as slow:
            child.kill()
            raise TimeoutError from slow
    if child.returncode in _ENDED_BY_LIMIT:
        raise TimeoutError
    return subprocess.CompletedProcess(command, child.returncode, out, err)


def spent(pid: int) -> float | None:
    """Return the processor seconds of a process and of its children that have ended; None where that is unknown."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return None
    ticks = stat.rpartition(")")[2].split()[11:15]
    return sum(map(int, ticks)) / float(os.sysconf("SC_CLK_TCK"))


_ENDED_BY_LIMIT = (-24, -9)
"""By SIGXCPU at the limit, by SIGKILL a second later."""
