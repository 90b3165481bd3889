"""The texts of errors about fetching a model, and files that arrived incomplete or changed."""

from error_messages.facts import ASSET, FAILURES, MODEL, SHARD
from unihub.errors import DownloadError, IntegrityError

GOLDEN = [
    (
        "DownloadError.nowhere",
        DownloadError.nowhere(
            "kaggle:o/m/tensorFlow2/v/1", FAILURES, "o/m/tensorFlow2/v/1", "unihub resolve kaggle:o/m/tensorFlow2/v/1"
        ),
        """\
        kaggle:o/m/tensorFlow2/v/1 could not be fetched.
          Why:  kaggle:o/m/tensorFlow2/v/1: kagglehub is not installed
                https://www.kaggle.com/models/o/m/tensorFlow2/v/1: 404 Not Found
          Hint: pip install 'unihub[kaggle]'.
                Check the address, and whether that version of the model still exists.
                Where the network allows it, this fetches it beforehand: unihub resolve kaggle:o/m/tensorFlow2/v/1
                On Kaggle its name is o/m/tensorFlow2/v/1: kagglehub.model_download('o/m/tensorFlow2/v/1').""",
    ),
    (
        "DownloadError.nowhere",
        DownloadError.nowhere("https://a/b", [], "", "unihub resolve https://a/b"),
        """\
        https://a/b could not be fetched.
          Why:  No known source may have it.
          Hint: Where the network allows it, this fetches it beforehand: unihub resolve https://a/b""",
    ),
    (
        "DownloadError.offline",
        DownloadError.offline("https://a/b", "/cache/models/b-0123456789abcdef", "unihub resolve https://a/b"),
        """\
        https://a/b is not on this machine.
          Why:  It is not at /cache/models/b-0123456789abcdef, and no connection is opened: UNIHUB_OFFLINE is set, or
                offline=True.
          Hint: Where there is a connection, with the same UNIHUB_CACHE_DIR: unihub resolve https://a/b""",
    ),
    (
        "DownloadError.answered",
        DownloadError.answered("https://a/b", 403, "403 Forbidden"),
        """\
        https://a/b could not be fetched.
          Why:  403 Forbidden.
          Hint: The model may be private, or require a login or consent: see its page in a browser.""",
    ),
    (
        "DownloadError.answered",
        DownloadError.answered("https://a/b", 404, "404 Not Found"),
        """\
        https://a/b could not be fetched.
          Why:  404 Not Found.
          Hint: Check the address, and whether that version of the model still exists.""",
    ),
    (
        "DownloadError.answered",
        DownloadError.answered("https://a/b", 429, "429 Too Many Requests", 3600.0),
        """\
        https://a/b could not be fetched.
          Why:  429 Too Many Requests.
          Hint: The server asks clients to retry after 3600 s.""",
    ),
    (
        "DownloadError.answered",
        DownloadError.answered("https://a/b", 500, "500 Internal Server Error"),
        """\
        https://a/b could not be fetched.
          Why:  500 Internal Server Error.
          Hint: The server has a problem; try again later.""",
    ),
    (
        "DownloadError.proxy",
        DownloadError.proxy("https://a/b", "OSError: Tunnel connection failed: 407 Proxy Authentication Required"),
        """\
        https://a/b could not be fetched.
          Why:  The proxy failed (OSError: Tunnel connection failed: 407 Proxy Authentication Required).
          Hint: Check https_proxy, http_proxy and no_proxy: the proxy they name did not let the request through.""",
    ),
    (
        "DownloadError.certificate",
        DownloadError.certificate("https://a/b", "SSLCertVerificationError: self signed certificate"),
        """\
        https://a/b could not be fetched.
          Why:  Its certificate is not trusted (SSLCertVerificationError: self signed certificate).
          Hint: If your network inserts its own certificate, set REQUESTS_CA_BUNDLE to the file that holds it; and check the
                clock of this machine.""",
    ),
    (
        "DownloadError.no_such_host",
        DownloadError.no_such_host("https://a/b", "a", "gaierror: [Errno -2] Name or service not known"),
        """\
        https://a/b could not be fetched.
          Why:  The name of the server cannot be resolved (gaierror: [Errno -2] Name or service not known).
          Hint: Check the name a, and the DNS of this machine; behind a proxy, set https_proxy.""",
    ),
    (
        "DownloadError.redirects",
        DownloadError.redirects("https://a/b", 20),
        """\
        https://a/b could not be fetched.
          Why:  More than 20 redirects.
          Hint: The server is misconfigured, or requires a cookie: open the address in a browser.""",
    ),
    (
        "DownloadError.timed_out",
        DownloadError.timed_out("https://a/b", 60, "UNIHUB_TIMEOUT"),
        """\
        https://a/b could not be fetched.
          Why:  Almost no data arrived for 60 s.
          Hint: Try again, which resumes the download; or set UNIHUB_TIMEOUT to more seconds.""",
    ),
    (
        "DownloadError.no_connection",
        DownloadError.no_connection("https://a/b", "ConnectionRefusedError: [Errno 111] Connection refused"),
        """\
        https://a/b could not be fetched.
          Why:  The connection failed (ConnectionRefusedError: [Errno 111] Connection refused).
          Hint: Check the network, and whether a proxy is needed (https_proxy). The partial download is kept for 24 hours.""",
    ),
    (
        "DownloadError.web_page",
        DownloadError.web_page("https://a/b"),
        """\
        https://a/b could not be fetched.
          Why:  A web page, not an archive.
          Hint: Open the address in a browser: it may require a login, or have no archive of the model.""",
    ),
    (
        "DownloadError.through_kagglehub",
        DownloadError.through_kagglehub("o/m/tensorFlow2/v/1", ValueError("'nonesuch' is not a valid ModelFramework")),
        """\
        kaggle:o/m/tensorFlow2/v/1 could not be fetched.
          Why:  ValueError: 'nonesuch' is not a valid ModelFramework.
          Hint: Check whether kagglehub.model_download('o/m/tensorFlow2/v/1') works on its own.""",
    ),
    (
        "DownloadError.through_fsspec",
        DownloadError.through_fsspec("s3://a/b", ValueError("no credentials")),
        """\
        s3://a/b could not be fetched.
          Why:  ValueError: no credentials.
          Hint: Check whether fsspec.open('s3://a/b') works on its own; it may need credentials.""",
    ),
    (
        "DownloadError.no_space",
        DownloadError.no_space("https://a/b", "/cache", 2000000, 1000),
        """\
        https://a/b could not be fetched.
          Why:  It needs 2,000,000 bytes in the cache at /cache, where 1,000 are free.
          Hint: Set UNIHUB_CACHE_DIR to a writable directory with enough space.""",
    ),
    (
        "DownloadError.cannot_write",
        DownloadError.cannot_write("https://a/b", "/cache", "[Errno 28] No space left on device"),
        """\
        https://a/b could not be fetched.
          Why:  It could not be written to the cache at /cache ([Errno 28] No space left on device).
          Hint: Set UNIHUB_CACHE_DIR to a writable directory with enough space.""",
    ),
    (
        "DownloadError.cannot_unpack",
        DownloadError.cannot_unpack("model.tar.gz", "/cache", "[Errno 28] No space left on device"),
        """\
        model.tar.gz could not be unpacked into the cache at /cache.
          Why:  [Errno 28] No space left on device
          Hint: Set UNIHUB_CACHE_DIR to a writable directory with enough space; or unpack the archive yourself and pass the
                directory.""",
    ),
    (
        "IntegrityError.missing_graph",
        IntegrityError.missing_graph(MODEL),
        """\
        the model at models/convnet is incomplete: saved_model.pb is missing.
          Why:  The other files of a SavedModel are there, but not the one with its graphs and signatures.
          Hint: Fetch or export the model again; an interrupted download or copy leaves this behind.""",
    ),
    (
        "IntegrityError.missing_variables",
        IntegrityError.missing_variables(MODEL, ["variables/variables.index"]),
        """\
        the model at models/convnet is incomplete: variables/variables.index is missing.
          Why:  TensorFlow restores the model's variables from there when it loads it.
          Hint: Fetch or export the model again. A repository may omit files because of size limits or its .gitignore; then
                ask its owner for them.""",
    ),
    (
        "IntegrityError.missing_assets",
        IntegrityError.missing_assets(MODEL, ["assets/vocab.txt", "assets/labels.txt"]),
        """\
        the model at models/convnet is incomplete: assets/vocab.txt and assets/labels.txt are missing.
          Why:  The model reads its vocabularies and other assets from there.
          Hint: Fetch or export the model again, and copy its assets directory with it.""",
    ),
    (
        "IntegrityError.missing_assets",
        IntegrityError.missing_assets(MODEL, ["assets/{}".format(name) for name in "abcde"]),
        """\
        the model at models/convnet is incomplete: assets/a, assets/b, assets/c, ... (5 files) are missing.
          Why:  The model reads its vocabularies and other assets from there.
          Hint: Fetch or export the model again, and copy its assets directory with it.""",
    ),
    (
        "IntegrityError.missing_in_keras_file",
        IntegrityError.missing_in_keras_file("models/bert"),
        """\
        the .keras file should contain the SavedModel of models/bert, which is missing.
          Why:  A layer that was loaded with self_contained=True keeps the model among the assets of the .keras file.
          Hint: Load the .keras file as it was saved; load weights alone into a model that your code builds.""",
    ),
    (
        "IntegrityError.git_lfs_pointer",
        IntegrityError.git_lfs_pointer(SHARD, 96128),
        """\
        models/convnet/variables/variables.data-00000-of-00001 is a git-lfs pointer, not the file itself.
          Why:  The repository stores large files separately, and the pointer only refers to one (96,128 bytes).
          Hint: Run "git lfs install" and then "git lfs pull" in the repository that it came from, or download the file from
                the repository's web page.""",
    ),
    (
        "IntegrityError.git_lfs_pointer",
        IntegrityError.git_lfs_pointer(ASSET, 0),
        """\
        models/convnet/assets/vocab.txt is a git-lfs pointer, not the file itself.
          Why:  The repository stores large files separately, and the pointer only refers to one.
          Hint: Run "git lfs install" and then "git lfs pull" in the repository that it came from, or download the file from
                the repository's web page.""",
    ),
    (
        "IntegrityError.short_file",
        IntegrityError.short_file(SHARD, 4096, 96128),
        """\
        models/convnet/variables/variables.data-00000-of-00001 is truncated.
          Why:  It has 4,096 bytes, and the variables in it need 96,128.
          Hint: Fetch or export the model again; the download or copy was interrupted.""",
    ),
    (
        "IntegrityError.damaged",
        IntegrityError.damaged(MODEL + "/saved_model.pb", "it holds no graph", True),
        """\
        models/convnet/saved_model.pb is truncated.
          Why:  Reading it failed: it holds no graph.
          Hint: Fetch or export the model again; the download or copy was interrupted.""",
    ),
    (
        "IntegrityError.damaged",
        IntegrityError.damaged(MODEL + "/saved_model.pb", "it holds no graph", False),
        """\
        models/convnet/saved_model.pb is damaged.
          Why:  Reading it failed: it holds no graph.
          Hint: Fetch or export the model again.""",
    ),
    (
        "IntegrityError.changed",
        IntegrityError.changed(MODEL + "/saved_model.pb"),
        """\
        models/convnet/saved_model.pb has changed since the model was inspected.
          Why:  What was read then belongs to another file, whose remainder can no longer be read.
          Hint: Inspect or load the model again.""",
    ),
    (
        "IntegrityError.unreadable",
        IntegrityError.unreadable(ASSET, "Permission denied"),
        """\
        models/convnet/assets/vocab.txt cannot be read.
          Why:  Permission denied.
          Hint: Check the permissions of the file and of the directories above it, and the disk it is on.""",
    ),
    (
        "IntegrityError.broken_archive",
        IntegrityError.broken_archive("model.tar.gz", "unexpected end of data"),
        """\
        the archive model.tar.gz is damaged.
          Why:  Reading it failed: unexpected end of data.
          Hint: Download or copy it again, and check what it is: a web page or a git-lfs pointer saved under the name of an
                archive fails like this too.""",
    ),
    (
        "IntegrityError.harmful_member",
        IntegrityError.harmful_member("model.tar.gz", "../evil", "Its name leads out of the archive's directory."),
        """\
        the archive model.tar.gz was refused because of its member '../evil'.
          Why:  Its name leads out of the archive's directory.
          Hint: No model needs such a member: get the archive from a source you trust. If you trust this one, unpack it
                yourself and pass the directory.""",
    ),
    (
        "IntegrityError.archive_too_large",
        IntegrityError.archive_too_large("model.tar.gz", 68719476736, "UNIHUB_MAX_ARCHIVE_BYTES"),
        """\
        the archive model.tar.gz was refused: unpacked, it has more than 68719476736 bytes.
          Why:  A small archive can be made to unpack to any size and fill the disk.
          Hint: If you trust it, set the environment variable UNIHUB_MAX_ARCHIVE_BYTES to more bytes.""",
    ),
    (
        "IntegrityError.archive_inflates",
        IntegrityError.archive_inflates("/m.tgz", 200, "UNIHUB_MAX_ARCHIVE_RATIO"),
        """\
        the archive /m.tgz was refused: unpacked, it has more than 200 times its size.
          Why:  A small archive can be made to unpack to any size and fill the disk.
          Hint: If you trust it, set the environment variable UNIHUB_MAX_ARCHIVE_RATIO to more.""",
    ),
    (
        "IntegrityError.damaged_entry",
        IntegrityError.damaged_entry(
            "/cache/models/b-0123456789abcdef", ["saved_model.pb is missing", "assets/words.txt has 3 bytes, not 4"]
        ),
        """\
        the copy in the cache at /cache/models/b-0123456789abcdef is damaged.
          Why:  Since it was fetched: saved_model.pb is missing, assets/words.txt has 3 bytes, not 4.
          Hint: With a network connection it is fetched again automatically; unihub cache prune removes it.""",
    ),
    (
        "IntegrityError.not_the_pinned",
        IntegrityError.not_the_pinned("m.tgz@sha256:0123", "0123", ["4567"]),
        """\
        m.tgz@sha256:0123 does not match the pinned digest.
          Why:  Its SHA-256 digest is 4567.
          Hint: The model was replaced, or the pin belongs to another version. The download was discarded.""",
    ),
    (
        "IntegrityError.not_the_pinned",
        IntegrityError.not_the_pinned("https://a/b@sha256:0123", "0123", ["4567", "89ab"]),
        """\
        https://a/b@sha256:0123 does not match the pinned digest.
          Why:  Its SHA-256 digest is 4567 (content), 89ab (archive).
          Hint: The model was replaced, or the pin belongs to another version. The download was discarded.""",
    ),
    (
        "IntegrityError.not_as_promised",
        IntegrityError.not_as_promised("https://a/b", "0123", "4567"),
        """\
        the download from https://a/b does not match the digest that the server states.
          Why:  Its MD5 digest is 4567, and the server states 0123.
          Hint: Try again; if it persists, something between this machine and the server changes the data.""",
    ),
]
