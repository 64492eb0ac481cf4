"""The installation's key of the audit: who cannot read it cannot write an entry that belongs to the chain.

A hash without a key says only that entries fit each other: whoever can write into the database can write a whole new
chain that does. The key lies in the data folder beside the cookie key, `audit.key`, for the program's user alone. Its
file also says after which entry it came into use, so that no later entry can pass for one from before it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

from core.db.private_files import place_of, private_file

AUDIT_KEY: Final = "audit.key"
UNKEYED: Final = "sha256"
"""The algorithm of entries from before there was a key."""
_KEYED: Final = "hmac-sha256"


@dataclass(frozen=True)
class AuditKey:
    """A key: `since` is the number of the last entry from before it came into use."""

    secret: bytes
    since: int

    @property
    def algorithm(self) -> str:
        """What an entry made with this key names: the method, and which key without telling it."""
        return f"{_KEYED}/{hashlib.sha256(b'luopan audit key ' + self.secret).hexdigest()[:8]}"

    def sign(self, said: bytes) -> str:
        """Return the HMAC-SHA256 of what an entry says, in hex."""
        return hmac.new(self.secret, said, hashlib.sha256).hexdigest()

    def __repr__(self) -> str:
        """Return the key's name, never the key."""
        return f"AuditKey({self.algorithm})"


class KeyKeeper:
    """Where a database's audit key is found."""

    def known(self) -> AuditKey | None:
        """Return the key, None where there is none yet or its file is gone."""
        raise NotImplementedError

    def made(self, since: int) -> AuditKey:
        """Return the key; make it now, after entry `since`, where there is none."""
        raise NotImplementedError


class InstallationKey(KeyKeeper):
    """The key in the installation's data folder, read once."""

    def __init__(self) -> None:
        self._read: AuditKey | None = None

    def known(self) -> AuditKey | None:
        """Return the key, None where there is none yet or its file is gone."""
        return self._key(private_file(AUDIT_KEY, str)) if place_of(AUDIT_KEY).is_file() else None

    def made(self, since: int) -> AuditKey:
        """Return the key; make it now, after entry `since`, where there is none."""
        if self._read is None:
            self._read = self._key(private_file(AUDIT_KEY, lambda: f"{secrets.token_hex(32)} {since}"))
        return self._read

    def _key(self, text: str) -> AuditKey:
        secret, _space, since = text.partition(" ")
        return AuditKey(bytes.fromhex(secret), int(since or 0))
