"""The vault: what is sealed opens in its own place with its own key, and nowhere else."""

from __future__ import annotations

import base64
import re
import string
import traceback
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logicspike.vault import KEY_BYTES, KeyRing, SealBroken, SealedPlace, Vault, generate_key, parse_key_ring

PLACE = SealedPlace(collection="social_connections", record_id="c1", team_id="T1", field="sealed")
SECRET = b"the access token"
KEY = base64.b64encode(bytes(range(KEY_BYTES))).decode()
BASE64URL = string.ascii_letters + string.digits + "-_"


@pytest.fixture
def vault() -> Vault:
    return Vault(parse_key_ring(f"2026a:{generate_key()}"))


@settings(deadline=None)
@given(secret=st.binary(max_size=300))
def test_what_is_sealed_can_be_opened(secret):
    vault = Vault(parse_key_ring(f"k:{KEY}"))

    assert secret == vault.open(vault.seal(secret, PLACE), PLACE)


def test_nothing_of_the_secret_stands_in_the_sealed_text(vault):
    sealed = vault.seal(SECRET, PLACE)
    version, key_id, encoded = sealed.split(".")

    assert ("v1", "2026a") == (version, key_id)
    assert SECRET not in base64.urlsafe_b64decode(encoded)
    assert 12 + len(SECRET) + 16 == len(base64.urlsafe_b64decode(encoded)), "nonce, ciphertext, tag"


@pytest.mark.parametrize(
    "elsewhere",
    [{"collection": "pending_authorizations"}, {"record_id": "c2"}, {"team_id": "T2"}, {"field": "extra"}],
)
def test_what_was_moved_to_another_place_stays_shut(vault, elsewhere):
    sealed = vault.seal(SECRET, PLACE)

    with pytest.raises(SealBroken):
        vault.open(sealed, replace(PLACE, **elsewhere))


PARTS = st.text(max_size=4)


@settings(deadline=None)
@given(a=st.tuples(PARTS, PARTS, PARTS, PARTS, PARTS), b=st.tuples(PARTS, PARTS, PARTS, PARTS, PARTS))
def test_no_two_places_read_the_same(a, b):
    first, second = (
        SealedPlace(collection=it[0], record_id=it[1], team_id=it[2], field=it[3]).associated(it[4]) for it in (a, b)
    )

    assert (a == b) == (first == second)


def test_ids_that_run_into_each_other_are_told_apart():
    one = SealedPlace(collection="c", record_id="ab", team_id="c", field="f")
    other = SealedPlace(collection="c", record_id="a", team_id="bc", field="f")

    assert one.associated("k") != other.associated("k")


@pytest.mark.parametrize("length", [15, 16, 17])  # with 1, 2 and no characters of padding
def test_each_byte_of_nonce_body_and_tag_counts(vault, length):
    header, _, encoded = vault.seal(b"x" * length, PLACE).rpartition(".")
    raw = base64.urlsafe_b64decode(encoded)
    for position in range(len(raw)):
        for bit in range(8):
            flipped = bytearray(raw)
            flipped[position] ^= 1 << bit
            with pytest.raises(SealBroken):
                vault.open(f"{header}.{base64.urlsafe_b64encode(flipped).decode()}", PLACE)


@pytest.mark.parametrize("length", [15, 16, 17])
def test_each_character_of_the_sealed_text_counts(vault, length):
    sealed = vault.seal(b"x" * length, PLACE)
    for position, character in enumerate(sealed):
        for other in {*BASE64URL, ".", "=", "+", "/", " ", "\n", "é"} - {character}:
            with pytest.raises(SealBroken):
                vault.open(sealed[:position] + other + sealed[position + 1 :], PLACE)


def test_the_key_id_cannot_be_exchanged():
    vault = Vault(parse_key_ring(f"a:{KEY},b:{KEY}"))
    sealed = vault.seal(SECRET, PLACE)

    with pytest.raises(SealBroken):
        vault.open(sealed.replace("v1.a.", "v1.b."), PLACE)


@pytest.mark.parametrize(
    "sealed",
    [
        *("", ".", "..", "v1", "v1.", "v1.2026a", "v1.2026a.", "v1.2026a.=", "v1.2026a.AAAA", "v1.2026a.ä", "🔑"),
        *("v1.2026a.a\x00", "v1.2026a." + "A" * 16, "v1.2026a." + "A" * 37, "v2.2026a.AAAA", "2026a.AAAA"),
        "v1.2026a.AAAA.AAAA",
    ],
)
def test_what_is_no_sealed_text_is_refused_alike(vault, sealed):
    with pytest.raises(SealBroken) as caught:
        vault.open(sealed, PLACE)

    assert "a sealed secret can't be opened with the keys at hand" == str(caught.value)


@settings(deadline=None)
@given(sealed=st.text(max_size=60))
def test_any_text_at_all_is_refused_alike(sealed):
    with pytest.raises(SealBroken):
        Vault(parse_key_ring(f"k:{KEY}")).open(f"v1.k.{sealed}", PLACE)


def test_shortened_or_lengthened_texts_are_refused(vault):
    sealed = vault.seal(SECRET, PLACE)
    for changed in (*(sealed[:end] for end in range(len(sealed))), sealed + "=", sealed + "A", sealed + "\n"):
        with pytest.raises(SealBroken):
            vault.open(changed, PLACE)


def test_no_nonce_comes_twice(vault):
    sealed = [vault.seal(b"", PLACE).rpartition(".")[2] for _ in range(100_000)]

    assert len(sealed) == len({base64.urlsafe_b64decode(each[:16]) for each in sealed})


# --- key rings --------------------------------------------------------------------------------------------------------


def test_an_old_key_opens_while_the_new_one_seals():
    old, new = f"old:{generate_key()}", f"new:{generate_key()}"
    sealed = Vault(parse_key_ring(old)).seal(SECRET, PLACE)
    both = Vault(parse_key_ring(f"{new},{old}"))

    assert SECRET == both.open(sealed, PLACE)
    resealed = both.seal(both.open(sealed, PLACE), PLACE)
    assert resealed.startswith("v1.new.")
    assert SECRET == Vault(parse_key_ring(new)).open(resealed, PLACE)


def test_a_removed_key_breaks_the_seal():
    old, new = f"old:{generate_key()}", f"new:{generate_key()}"
    sealed = Vault(parse_key_ring(old)).seal(SECRET, PLACE)

    with pytest.raises(SealBroken) as caught:
        Vault(parse_key_ring(new)).open(sealed, PLACE)
    assert None is caught.value.__cause__


def test_another_key_under_the_same_id_breaks_the_seal():
    sealed = Vault(parse_key_ring(f"k:{generate_key()}")).seal(SECRET, PLACE)

    with pytest.raises(SealBroken):
        Vault(parse_key_ring(f"k:{generate_key()}")).open(sealed, PLACE)


def test_fresh_keys_differ_and_fit():
    keys = {generate_key() for _ in range(100)}

    assert 100 == len(keys)
    assert {KEY_BYTES} == {len(base64.b64decode(key)) for key in keys}


def test_the_first_key_writes_and_blanks_do_not_count():
    ring = parse_key_ring(f" b:{KEY} ,a:{generate_key()},\n")

    assert ("b", ["b", "a"]) == (ring.writing_id, list(ring.keys))


def test_a_ring_shows_no_key():
    ring = parse_key_ring(f"a:{KEY}")

    assert KEY not in repr(ring)
    assert repr(ring.keys["a"]) not in repr(ring)
    assert "KeyRing(writing_id='a')" == repr(ring) == str(ring)
    assert isinstance(ring, KeyRing)


HEX_KEY = bytes(range(KEY_BYTES)).hex()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no key is given"),
        (" , ", "no key is given"),
        (KEY, "written as id:base64key"),
        (f":{KEY}", "written as id:base64key"),
        (f"my key:{KEY}", "written as id:base64key"),
        (f"ä:{KEY}", "written as id:base64key"),
        (f"a.b:{KEY}", "written as id:base64key"),
        (f"{KEY}:a", "written as id:base64key"),
        (f"{HEX_KEY}:a", "written as id:base64key"),
        (f"{KEY.rstrip('=')}:a", "written as id:base64key"),
        (f"a:{HEX_KEY}", "'a' is not 32 bytes in base64"),
        (f"a:{KEY[:-4]}", "'a' is not 32 bytes in base64"),
        (f"a:{KEY}{KEY}", "'a' is not 32 bytes in base64"),
        (f"a:{KEY} b:{KEY}", "'a' is not 32 bytes in base64"),
        (f"a:{KEY[:10]}é{KEY[11:]}", "'a' is not 32 bytes in base64"),
        (f"a:b:{KEY}", "'a' is not 32 bytes in base64"),
        ("a:", "'a' is not 32 bytes in base64"),
        (f"a:{KEY},a:{KEY}", "'a' stands twice"),
        (f"a:{KEY},{KEY}", "written as id:base64key"),
    ],
)
def test_a_wrong_ring_is_explained_without_the_key(text, says):
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        parse_key_ring(text)

    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__)
    for part in (KEY[:10], HEX_KEY[:10]):
        assert part not in shown
