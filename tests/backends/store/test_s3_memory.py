"""What a large blob costs in memory on its way up and down."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import s3fs

from tests.backends.store.weed import s3_server, weed_binary

pytestmark = pytest.mark.e2e

SIZE = 300 * 1024 * 1024
MOST = 100 * 1024 * 1024
"""Bytes beyond those of a small blob: parts on their way, what a library holds of them besides, and
what the interpreter keeps for the next."""

SCRIPT = """
import hashlib, json, re, sys
from pathlib import Path
from virtreg.backends.store.objects import ObjectStore
from virtreg.core.layout import blob_key

folder, size, access = Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
store = ObjectStore("s3://bucket", **access)

def peak():
    # Unlike that of getrusage, it is not what the process was before it became this one.
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

def there_and_back(size):
    digest = hashlib.sha256()
    block = bytes(range(256)) * 4096
    with (folder / "spooled").open("wb") as file:
        for at in range(0, size, len(block)):
            piece = at.to_bytes(8, "big") + block[8 : min(len(block), size - at)]
            digest.update(piece)
            file.write(piece)
    key = blob_key(digest.hexdigest())
    store.put(key, folder / "spooled")
    with store.open_known(key, size) as body:
        assert sum(map(len, body.read())) == size

there_and_back(1 << 20)
before = peak()
there_and_back(size)
print(peak() - before)
"""


def test_a_large_blob_goes_up_and_comes_down_in_bounded_memory(tmp_path: Path) -> None:
    with s3_server(weed_binary(), tmp_path) as access:
        s3fs.S3FileSystem(**access, skip_instance_cache=True).mkdir("bucket")
        command = [sys.executable, "-c", SCRIPT, str(tmp_path), str(SIZE), json.dumps(access)]
        ran = subprocess.run(command, check=True, capture_output=True, text=True)
    assert 0 < int(ran.stdout) < MOST, "bytes"
