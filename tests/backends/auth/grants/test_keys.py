from __future__ import annotations

import base64
import hashlib
import json
import logging
import multiprocessing
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from jwt.algorithms import ECAlgorithm

from virtreg.backends.auth.grants import Keys
from virtreg.errors import ConfigError, NotFound
from virtreg.testing.fakes import FakeClock

PROCESSES = 4


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def file_of(
    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    encryption: KeySerializationEncryption | None = None,
) -> str:
    pem = private.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()
    ).decode()
    return json.dumps({"created_at": 1, "private_key": pem})


def write_key(path: Path, content: str) -> None:
    path.touch(0o600)
    path.write_text(content)


P256 = file_of(ec.generate_private_key(ec.SECP256R1()))
DAMAGED = {
    "empty": "",
    "no JSON": "-----BEGIN PRIVATE KEY-----",
    "cut": P256[:150],
    "no object": "[]",
    "null": "null",
    "deep": "[" * 9000,
    "no key": json.dumps({"created_at": 1}),
    "no time": json.dumps({"private_key": json.loads(P256)["private_key"]}),
    "time is text": P256.replace('"created_at": 1', '"created_at": "1"'),
    "key is a number": json.dumps({"created_at": 1, "private_key": 5}),
    "key is no PEM": json.dumps({"created_at": 1, "private_key": "hello"}),
    "key was turned": P256.replace("MI", "IM", 1),
    "another curve": file_of(ec.generate_private_key(ec.SECP384R1())),
    "another algorithm": file_of(rsa.generate_private_key(65537, 2048)),
    "encrypted": file_of(
        ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"password")
    ),
    "huge": P256 + " " * 10_000,
    "binary": "\x00\ufffd",
}


def test_the_first_start_makes_a_key_that_nobody_else_can_read(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        Keys(tmp_path / "new" / "keys")
    finally:
        os.umask(previous)
    assert mode(tmp_path / "new" / "keys") == 0o700
    files = list((tmp_path / "new" / "keys").iterdir())
    assert [(path.name, mode(path)) for path in files] == [("000001.json", 0o600)]


def test_the_next_start_finds_the_same_key(tmp_path: Path, keys: Keys) -> None:
    assert Keys(tmp_path / "keys").newest() == keys.newest()


def test_the_kid_is_the_thumbprint_of_the_public_key(keys: Keys) -> None:
    key = keys.newest()
    jwk = ECAlgorithm.to_jwk(key.public, as_dict=True)
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest()
    assert base64.urlsafe_b64decode(key.kid + "=") == digest


def test_a_key_does_not_print(keys: Keys) -> None:
    assert "private" not in repr(keys.newest())


def start(folder: Path, together: Barrier, found: multiprocessing.SimpleQueue[str]) -> None:
    together.wait(timeout=60)
    found.put(Keys(folder).newest().kid)


def test_processes_that_start_at_once_end_with_the_same_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(PROCESSES)
    found = context.SimpleQueue()
    processes = [
        context.Process(target=start, args=(tmp_path / "keys", together, found))
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    kids = {found.get() for _ in processes}
    for process in processes:
        process.join(timeout=60)
        process.close()
    found.close()
    assert kids == {Keys(tmp_path / "keys").newest().kid}
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["000001.json"]


def test_threads_that_start_and_rotate_at_once_lose_no_key(tmp_path: Path) -> None:
    def work(_: int) -> Keys:
        keys = Keys(tmp_path / "keys")
        keys.rotate()
        return keys

    with ThreadPoolExecutor(8) as pool:
        every = list(pool.map(work, range(8)))
    after = Keys(tmp_path / "keys")
    assert all(after.find(keys.newest().kid) is not None for keys in every)
    assert not list((tmp_path / "keys").glob(".*"))


def test_after_rotation_the_new_key_signs_and_the_old_one_verifies(keys: Keys) -> None:
    old = keys.newest()
    new = keys.rotate()
    assert new.kid != old.kid
    assert keys.newest() == new
    assert keys.find(old.kid) == old
    assert keys.find(new.kid) == new


def test_an_old_key_verifies_for_the_stated_time_and_not_longer(
    tmp_path: Path, clock: FakeClock
) -> None:
    keys = Keys(tmp_path / "keys", clock, keep_seconds=1000)
    old = keys.newest()
    clock.advance(5000)
    keys.rotate()
    clock.advance(999)
    assert keys.find(old.kid) == old
    assert Keys(tmp_path / "keys", clock, keep_seconds=1000).find(old.kid) == old
    clock.advance(1)
    assert keys.find(old.kid) is None
    assert Keys(tmp_path / "keys", clock, keep_seconds=1000).find(old.kid) is None


def test_rotation_removes_the_files_of_keys_that_verify_no_more(
    tmp_path: Path, clock: FakeClock
) -> None:
    keys = Keys(tmp_path / "keys", clock, keep_seconds=1000)
    keys.rotate()
    clock.advance(999)
    keys.rotate()
    assert len(list((tmp_path / "keys").iterdir())) == 3
    clock.advance(1)
    keys.rotate()
    names = sorted(path.name for path in (tmp_path / "keys").iterdir())
    assert names == ["000002.json", "000003.json", "000004.json"]


def test_a_key_that_another_process_made_is_found_when_somebody_shows_it(
    tmp_path: Path, keys: Keys, clock: FakeClock
) -> None:
    made = Keys(tmp_path / "keys", clock).rotate()
    assert keys.find(made.kid) is None  # the folder was read this very second
    clock.advance(1)
    assert keys.find(made.kid) == made
    assert keys.newest() == made


def test_a_key_that_is_known_costs_no_look_into_the_folder_within_a_second(
    tmp_path: Path, keys: Keys, clock: FakeClock
) -> None:
    key = keys.newest()
    (tmp_path / "keys" / "000001.json").unlink()
    clock.advance(0.99)
    assert keys.find(key.kid) == keys.newest() == key
    assert not (tmp_path / "keys" / "000001.json").exists()
    clock.advance(0.01)
    assert keys.find(key.kid) is None


def test_unknown_kids_read_the_folder_once_a_second_at_most(
    tmp_path: Path, keys: Keys, clock: FakeClock
) -> None:
    clock.advance(1)
    assert keys.find("unknown") is None
    made = Keys(tmp_path / "keys", clock).rotate()
    clock.advance(0.5)
    assert keys.find(made.kid) is None
    clock.advance(0.5)
    assert keys.find(made.kid) == made


def test_a_rotation_elsewhere_is_signed_with_within_a_second(
    tmp_path: Path, keys: Keys, clock: FakeClock
) -> None:
    old = keys.newest()
    made = Keys(tmp_path / "keys", clock).rotate()
    clock.advance(0.9)
    assert keys.newest() == old
    clock.advance(0.1)
    assert keys.newest() == made


def test_a_key_whose_file_is_removed_verifies_no_more(
    tmp_path: Path, keys: Keys, clock: FakeClock
) -> None:
    leaked = keys.newest()
    keys.rotate()
    (tmp_path / "keys" / "000001.json").unlink()
    clock.advance(60)
    assert keys.find(leaked.kid) is None


def test_when_every_file_is_removed_there_is_a_new_key(
    tmp_path: Path, keys: Keys, clock: FakeClock
) -> None:
    leaked = keys.newest()
    (tmp_path / "keys" / "000001.json").unlink()
    clock.advance(60)
    assert keys.newest().kid != leaked.kid


def test_a_clock_that_is_set_back_does_not_keep_keys_from_being_read(
    tmp_path: Path, keys: Keys, clock: FakeClock
) -> None:
    made = Keys(tmp_path / "keys", clock).rotate()
    clock.advance(-10_000)
    assert keys.find(made.kid) == made


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_named_and_not_shown(tmp_path: Path, content: str) -> None:
    path = tmp_path / "000001.json"
    write_key(path, content)
    with pytest.raises(ConfigError) as refusal:
        Keys(tmp_path)
    assert refusal.value.message.startswith(f"{path}: not a signing key")
    assert refusal.value.__suppress_context__
    assert len(content) < 20 or content[:20] not in str(refusal.value)
    assert path.read_text() == content


def test_a_whole_file_of_the_same_shape_is_a_key(tmp_path: Path) -> None:
    write_key(tmp_path / "000007.json", P256)
    assert Keys(tmp_path).newest().number == 7


@pytest.mark.skipif(os.name != "posix", reason="there are no such modes")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620])
def test_a_key_that_others_may_use_is_refused_with_what_to_do(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "my data"
    Keys(folder)
    path = folder / "000001.json"
    path.chmod(mode)
    with pytest.raises(ConfigError) as refusal:
        Keys(folder)
    message = refusal.value.message
    assert message.startswith(f"{path}: others than its owner")
    assert f"chmod 600 '{path}', and virtreg keys remove 1" in message
    path.chmod(0o400)
    assert Keys(folder).newest().number == 1


def test_a_removed_key_verifies_no_more_and_the_others_stay(tmp_path: Path, keys: Keys) -> None:
    leaked = keys.newest()
    signing = keys.rotate()
    assert keys.remove(1) == signing
    assert keys.find(leaked.kid) is None
    assert keys.find(signing.kid) == signing
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["000002.json"]


def test_when_the_signing_key_is_removed_a_new_one_signs(tmp_path: Path, keys: Keys) -> None:
    old = keys.newest()
    leaked = keys.rotate()
    signing = keys.remove(2)
    assert signing.number == 3
    assert keys.newest() == signing
    assert keys.find(leaked.kid) is None
    assert keys.find(old.kid) == old, "what it signed is as good as before"
    assert Keys(tmp_path / "keys").newest().kid == signing.kid


def test_a_key_that_is_not_there_is_not_removed(tmp_path: Path, keys: Keys) -> None:
    with pytest.raises(NotFound, match="no signing key 2"):
        keys.remove(2)
    assert keys.newest().number == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["000001.json"]


def test_a_key_that_was_over_is_not_good_again_when_the_next_one_is_removed(
    tmp_path: Path, clock: FakeClock
) -> None:
    keys = Keys(tmp_path / "keys", clock, keep_seconds=1000)
    over = keys.newest()
    keys.rotate()
    clock.advance(999)
    keys.rotate()
    clock.advance(1)
    keys.remove(2)
    assert keys.find(over.kid) is None


def test_the_keys_that_are_good_tell_their_ends(tmp_path: Path, clock: FakeClock) -> None:
    keys = Keys(tmp_path / "keys", clock, keep_seconds=1000)
    first = keys.newest()
    assert keys.verifying() == {first: None}
    second = keys.rotate()
    assert list(keys.verifying().items()) == [(first, int(clock()) + 1000), (second, None)]
    clock.advance(1000)
    assert keys.verifying() == {second: None}


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file"):
        Keys(tmp_path / "file")
    with pytest.raises(ConfigError, match="keys"):
        Keys(tmp_path / "file" / "keys")


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    for name in ("README", "000001.json.bak", "1.json", ".draft.new"):
        (tmp_path / name).write_text("mine")
    assert Keys(tmp_path).newest().number == 1
    assert (tmp_path / "README").read_text() == "mine"


def test_damage_while_running_is_logged_and_changes_nothing(
    tmp_path: Path, keys: Keys, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    key = keys.newest()
    path = tmp_path / "keys" / "000001.json"
    path.write_text("{}")
    clock.advance(60)
    with caplog.at_level(logging.ERROR):
        assert keys.newest() == key
        assert keys.find(key.kid) == key
        clock.advance(1)
        assert keys.newest() == key
    assert [record.getMessage().split(": ")[0] for record in caplog.records] == [str(path)]
