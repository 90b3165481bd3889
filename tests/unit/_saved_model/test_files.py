"""The files of a model: which are there, whole, and the same as a moment ago."""

import hashlib
import os

import pytest

from model_files import bundle_entry, saved_model, write_variables
from unihub._saved_model import files, formats
from unihub.errors import IntegrityError

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1234\n"


@pytest.fixture
def model(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(saved_model("meta_graphs { }"))
    write_variables(tmp_path, {"variables.data-00000-of-00001": 4}, {"w": bundle_entry(0, 0, 4)})
    return tmp_path


@pytest.mark.parametrize("head, size", [(POINTER, 1234), (POINTER[:60], 0), (POINTER.replace(b"\n", b"\r\n"), None)])
def test_a_pointer_without_a_size(head, size):
    with pytest.raises(IntegrityError) as caught:
        files.refuse_pointer_head("f", head)
    if size is not None:
        assert caught.value.size == size


@pytest.mark.parametrize("head", [b"", b"x" + POINTER, POINTER[:20]])
def test_what_is_no_pointer(head):
    files.refuse_pointer_head("f", head)


def test_a_shard_that_is_as_long_as_it_needs_to_be(model):
    files.check_complete(str(model), True, {})
    shard = model / "variables" / "variables.data-00000-of-00001"
    shard.write_bytes(bytes(5))
    files.check_complete(str(model), True, {})
    shard.write_bytes(bytes(3))
    with pytest.raises(IntegrityError) as caught:
        files.check_complete(str(model), True, {})
    assert str(caught.value) == str(IntegrityError.short_file(str(shard), 3, 4))


def test_variables_that_are_not_needed(model):
    os.remove(str(model / "variables" / "variables.index"))
    files.check_complete(str(model), False, {})
    with pytest.raises(IntegrityError):
        files.check_complete(str(model), True, {})


@pytest.mark.parametrize("size, refused", [(0, True), (1, False)])
def test_large_files_are_no_pointers(tmp_path, size, refused):
    """Only the head of a file that is as short as a pointer is read."""
    path = tmp_path / "f"
    path.write_bytes(POINTER.ljust(files.HEAD_BYTES + size, b"\n"))
    if refused:
        with pytest.raises(IntegrityError):
            files._refuse_pointer(str(path))
    else:
        files._refuse_pointer(str(path))


def test_the_versions_of_files_change_with_them(model):
    first = files.model_files(str(model))
    assert files.model_files(str(model)) == first
    os.utime(str(model / "saved_model.pb"), ns=(0, 0))
    assert files.model_files(str(model)) != first


def test_which_files_are_a_models(model):
    for name in ("assets/sub/vocab.txt", "extra/other", "notes"):
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_text("x")
    os.symlink("nowhere", str(model / "assets" / "broken"))
    found = files.model_files(str(model))
    assert [file.name.replace(os.sep, "/") for file in found] == [
        *("assets/sub/vocab.txt", "notes", "saved_model.pb"),
        *("variables/variables.data-00000-of-00001", "variables/variables.index"),
    ]
    status = (model / "notes").stat()
    assert found[1][1:] == (1, status.st_mtime_ns, status.st_ino)


def test_the_digest_of_a_graph(model, monkeypatch):
    monkeypatch.setattr(files, "_BLOCK", 4)
    path = model / "saved_model.pb"
    path.write_bytes(b"0123456789")
    assert files.graph_digest(str(path)) == hashlib.sha256(b"0123456789").hexdigest()
    path.write_bytes(b"01234567")
    assert files.graph_digest(str(path)) == hashlib.sha256(b"01234567").hexdigest()


@pytest.mark.parametrize(
    "error, text", [(OSError(5, "Input/output error"), "Input/output error"), (OSError("odd"), "odd")]
)
def test_what_the_system_says(error, text):
    with pytest.raises(IntegrityError) as caught, files.reading("f"):
        raise error
    assert str(caught.value) == str(IntegrityError.unreadable("f", text))


def test_our_own_errors_are_given_on():
    error = IntegrityError.changed("f")
    with pytest.raises(IntegrityError) as caught, files.reading("g"):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("content", [b"", b"\x08\x01"])
def test_a_file_without_graphs(model, content):
    path = model / "saved_model.pb"
    path.write_bytes(content)
    with pytest.raises(IntegrityError) as caught, formats.saved_model(str(model)):
        pass
    assert str(caught.value) == str(IntegrityError.damaged(str(path), "it holds no graph", True))
