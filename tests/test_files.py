"""Files are whole or untouched."""

import os
import stat

import pytest

from gbrank import DataError
from gbrank._files import atomic_write


def fail_after(file, text):
    file.write(text)
    raise OSError("the disk is full")


def test_success_replaces_and_failure_leaves_the_old(tmp_path):
    path = tmp_path / "file.txt"
    with atomic_write(path) as file:
        file.write("old\n")
    with pytest.raises(OSError, match="full"), atomic_write(path) as file:
        fail_after(file, "new, but only ha")
    assert path.read_bytes() == b"old\n"
    assert os.listdir(tmp_path) == ["file.txt"]
    with atomic_write(path, "wb") as file:
        file.write(b"\x00")
    assert path.read_bytes() == b"\x00"
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


def test_links_lead_on_and_devices_are_refused(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    with atomic_write(link) as file:
        file.write("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    os.mkfifo(tmp_path / "pipe")
    for special in (tmp_path / "pipe", "/dev/null"):
        with pytest.raises(DataError, match="is no regular file"), atomic_write(special):
            pass


def test_a_missing_folder_and_a_folder_are_refused(tmp_path):
    with pytest.raises(DataError, match="does not exist; create it first"), atomic_write(tmp_path / "no" / "file"):
        pass
    with pytest.raises(DataError, match="is a folder"), atomic_write(tmp_path):
        pass
