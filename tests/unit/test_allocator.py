"""Freed memory is kept in few places, however many threads come and go."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from core.settings import PROJECT_ROOT

_COUNT = """
import ctypes, os, sys, tempfile
from threading import Barrier, Thread
from core.jobs.allocator import share_memory

told = share_memory() if sys.argv[1] == "shared" else None
c, together = ctypes.CDLL(None), Barrier(12)
c.malloc.restype, c.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
def work():
    together.wait()
    c.malloc(50_000)
    together.wait()
threads = [Thread(target=work) for _each in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
c.fopen.restype, c.fopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_char_p]
c.malloc_info.argtypes, c.fclose.argtypes = [ctypes.c_int, ctypes.c_void_p], [ctypes.c_void_p]
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "told").encode()
    file = c.fopen(path, b"w"); c.malloc_info(0, file); c.fclose(file)
    print(told, open(path).read().count("<heap nr="))
"""


def _stores(how: str, **environment: str) -> tuple[str, int]:
    done = subprocess.run(
        [sys.executable, "-c", _COUNT, how], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True,
        env={"PATH": "/usr/bin", **environment},
    )  # fmt: skip
    told, count = done.stdout.split()
    return told, int(count)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="stores are glibc's")
def test_threads_share_two_stores_unless_somebody_decided_otherwise() -> None:
    assert _stores("alone")[1] > 2
    assert _stores("shared") == ("True", 2)
    assert _stores("shared", MALLOC_ARENA_MAX="3") == ("False", 3)
    assert _stores("shared", GLIBC_TUNABLES="glibc.malloc.arena_max=3") == ("False", 3)
