"""Seals secrets for the database: AES-256-GCM, a ring of keys with ids, each secret bound to its place."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["KEY_BYTES", "KeyRing", "SealBroken", "SealedPlace", "Vault", "generate_key", "parse_key_ring"]

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12  # NIST SP 800-38D section 5.2.1.1: 96 bits is the size GCM is made for
_VERSION: Final = "v1"
# Shorter than any key is written: a key that stands in an id's place by mistake is never taken, or quoted, as an id.
_KEY_ID: Final = re.compile(r"[A-Za-z0-9-]{1,32}")
_BROKEN: Final = "a sealed secret can't be opened with the keys at hand"


class SealBroken(Exception):
    """A sealed secret can't be opened: its key is gone, it was altered, or it was moved to another place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """Keys by id; the first one seals, all of them open."""

    writing_id: str
    keys: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPlace:
    """Where a secret belongs; opening it anywhere else fails."""

    collection: str
    record_id: str
    team_id: str
    field: str

    def associated(self, key_id: str) -> bytes:
        """The associated data; lengths are written so that no two places read the same."""
        parts = (self.collection, self.record_id, self.team_id, self.field, key_id)
        return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)


def generate_key() -> str:
    """Make a fresh key, base64: what stands behind ``id:`` in ``LOGICSPIKE_KEYS``."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def parse_key_ring(text: str) -> KeyRing:
    """Read ``id:base64key[,id:base64key]``; the first key seals.

    Raises:
        ValueError: with a sentence that says what is wrong, never the key.
    """
    keys: dict[str, bytes] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        key_id, separator, encoded = entry.partition(":")
        if not separator or not _KEY_ID.fullmatch(key_id):
            raise ValueError("each key is written as id:base64key, the id of up to 32 letters, digits and hyphens")
        if key_id in keys:
            raise ValueError(f"the key id {key_id!r} stands twice")
        keys[key_id] = _decode_key(key_id, encoded)
    if not keys:
        raise ValueError("no key is given")
    return KeyRing(writing_id=next(iter(keys)), keys=keys)


def _decode_key(key_id: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"the key {key_id!r} is not {KEY_BYTES} bytes in base64")
    return key


class Vault:
    """Seals and opens secrets with a ring of keys."""

    def __init__(self, ring: KeyRing) -> None:
        self._writing_id = ring.writing_id
        self._ciphers = {key_id: AESGCM(key) for key_id, key in ring.keys.items()}

    def seal(self, secret: bytes, place: SealedPlace) -> str:
        """Encrypt a secret for one place: ``v1.<key id>.<base64url of nonce and ciphertext>``."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self._writing_id].encrypt(nonce, secret, place.associated(self._writing_id))
        return f"{_VERSION}.{self._writing_id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, place: SealedPlace) -> bytes:
        """Decrypt what was sealed for this very place.

        Raises:
            SealBroken: the key is gone, or text or place are not what was sealed; deliberately says no more.
        """
        version, _, rest = sealed.partition(".")
        key_id, _, encoded = rest.partition(".")
        cipher = self._ciphers.get(key_id)
        if version != _VERSION or cipher is None:
            raise SealBroken(_BROKEN)
        try:
            raw = base64.b64decode(encoded, altchars=b"-_", validate=True)
            # Base64 has spare bits at its end, and two alphabets: only the very text that seal() wrote is opened.
            if base64.urlsafe_b64encode(raw).decode() != encoded:
                raise SealBroken(_BROKEN)
            return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place.associated(key_id))
        except (binascii.Error, ValueError, InvalidTag):
            raise SealBroken(_BROKEN) from None
