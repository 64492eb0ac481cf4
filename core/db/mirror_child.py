"""The process that builds a mirror: `python -m core.db.mirror_child`, started by `core.db.mirror_build`."""

from __future__ import annotations

import gc


def main() -> None:
    """Build as told; what is loaded before stays to the end, so nobody looks through it for garbage."""
    gc.disable()
    from core.db.mirror_build import build_as_told

    gc.freeze()
    gc.enable()
    build_as_told()


if __name__ == "__main__":
    main()
