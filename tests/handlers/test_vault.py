"""What is sealed can be opened with the key, with an older one that is still named, and with no other."""

import pytest

from handlers.vault import BadKey, Unreadable, Vault, new_key


def test_there_and_back() -> None:
    vault = Vault(new_key())
    sealed = vault.seal("甲乙丙")
    assert vault.open(sealed) == "甲乙丙"
    assert "甲乙丙".encode() not in sealed
    assert vault.seal("甲乙丙") != sealed


def test_a_new_key_in_front_opens_what_the_old_one_sealed() -> None:
    old, new = new_key(), new_key()
    sealed = Vault(old).seal("甲")
    both = Vault(f"{new}, {old}")
    assert both.open(sealed) == "甲"
    assert Vault(new).open(both.resealed(sealed)) == "甲"
    with pytest.raises(Unreadable, match="GRIDBOT_CARE__KEY"):
        Vault(new).open(sealed)
    with pytest.raises(Unreadable):
        Vault(new).open(b"none of ours")


def test_fingerprints_tell_the_same_from_another() -> None:
    vault, other = Vault(new_key()), Vault(new_key())
    assert vault.fingerprint("甲", "乙") == vault.fingerprint("甲", "乙")
    assert len({vault.fingerprint(*parts) for parts in (("甲", "乙"), ("甲乙", ""), ("", "甲乙"))}) == 3
    assert vault.fingerprint("甲") != other.fingerprint("甲")


@pytest.mark.parametrize(
    "keys",
    ["", ",", "secret", "钥匙", new_key()[:-4], f"{new_key()},x"],
    ids=["none", "comma", "word", "chinese", "cut", "one_bad"],
)
def test_what_is_no_key(keys: str) -> None:
    with pytest.raises(BadKey, match="GRIDBOT_CARE__KEY") as caught:
        Vault(keys)
    assert "secret" not in str(caught.value)
