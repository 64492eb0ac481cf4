"""Small private files that an installation keeps in its data folder: keys, codes, sign-ins."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from core.errors import SalesError
from core.i18n import N_
from core.settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class EmptyFile(SalesError):
    """A key or code that is empty would open everything; it was lost, most likely to a full disk."""

    text = N_("The file {name} is empty. Delete it and start the program again.")


def place_of(name: str) -> Path:
    """Return where file `name` of the data folder lies."""
    return settings().data_dir / name


def private_file(name: str, make: Callable[[], str]) -> str:
    """Return what file `name` of the data folder says; made at first use, for this user alone to read."""
    path = place_of(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"{name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(make() + "\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first: its text holds
        except OSError:  # a file system without links
            draft.replace(path)
        draft.unlink(missing_ok=True)
    text = path.read_text(encoding="utf-8").strip()
    if not text:
        raise EmptyFile(name=str(path))
    return text
