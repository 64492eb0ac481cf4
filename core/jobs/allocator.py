"""Where the C library keeps freed memory: in two places for all threads, not in sixteen.

Streamlit draws each page in a thread of its own, and glibc gives threads up to eight stores of freed memory a
processor, none of which another one uses: what one large page let go stays with the process many times over.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

_ARENA_MAX: Final = -8
"""glibc's M_ARENA_MAX (mallopt(3))."""
_STORES: Final = 2


def share_memory() -> bool:
    """Have all threads share two stores from now on; say whether there is a glibc to be told.

    Called before many threads have run. Whoever says so in the environment has decided already.
    """
    if "MALLOC_ARENA_MAX" in os.environ or "malloc.arena_max" in os.environ.get("GLIBC_TUNABLES", ""):
        return False
    try:
        told = ctypes.CDLL(None).mallopt(_ARENA_MAX, _STORES)
    except (AttributeError, OSError, TypeError):  # another C library, another system
        return False
    return bool(told)
