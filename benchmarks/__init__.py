"""Measurements of the program; numbers are computed on one thread, as in the program's own workers."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
