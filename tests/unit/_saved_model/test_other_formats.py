"""What a file is that is no SavedModel, by its first bytes and a look inside."""

import zipfile

import pytest

from unihub._saved_model import other_formats
from unihub._saved_model.text_format import encode_text
from unihub._saved_model.wire import Source


@pytest.mark.parametrize(
    "names, is_keras",
    [
        (["config.json", "model.weights.h5"], True),
        (["config.json", "metadata.json", "model.weights.h5"], True),
        (["config.json"], False),
        (["model.weights.h5"], False),
    ],
)
def test_files_of_keras(tmp_path, names, is_keras):
    path = str(tmp_path / "m")
    with zipfile.ZipFile(path, "w") as packed:
        for name in names:
            packed.writestr(name, b"")
    with open(path, "rb") as file:
        assert other_formats._is_keras(path, file.read(4)) is is_keras


@pytest.mark.parametrize("name, is_keras", [("m.keras", True), ("m.zip", False)])
def test_damaged_zip_files_go_by_their_names(tmp_path, name, is_keras):
    path = tmp_path / name
    path.write_bytes(b"PK\x03\x04 damaged")
    assert other_formats._is_keras(str(path), b"PK\x03\x04") is is_keras
    assert other_formats._is_keras(str(path), b"PK") is False


@pytest.mark.parametrize(
    "text, is_graph",
    [
        ('node { name: "n" op: "MatMul" }', True),
        ('node { name: "n" op: "TFText>Split" }', None),
        ('node { op: "MatMul" }', False),
        ('node { name: "n" }', False),
        ('node { name: "n" op: "mat mul" }', False),
        ("", False),
    ],
)
def test_graphs(text, is_graph):
    found = other_formats._looks_like_graph_def(Source.of_bytes(encode_text(text.encode(), "GraphDef")))
    assert is_graph is None or found is is_graph


@pytest.mark.parametrize(
    "head, is_archive",
    [
        (b"PK\x03\x04", True),
        (b"\x1f\x8b\x08", True),
        (bytes(257) + b"ustar", True),
        (bytes(256) + b"ustar", False),
        (bytes(258) + b"ustar", False),
        (b"", False),
    ],
)
def test_archives(head, is_archive):
    assert other_formats._is_archive("f", head) is is_archive
