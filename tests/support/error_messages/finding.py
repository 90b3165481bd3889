"""The texts of errors about a handle, and what it names not being there."""

from unihub.errors import HandleError, ModelNotFoundError

GOLDEN = [
    (
        "HandleError.not_a_place",
        HandleError.not_a_place(5),
        """\
        a handle cannot be of type int.
          Why:  A handle is a str, bytes, or a path such as pathlib.Path.
          Hint: Pass the directory, archive or URL of the model. A callable or a hub.ModuleSpec is already a model and needs
                no resolving: pass it to unihub.load.""",
    ),
    (
        "HandleError.empty",
        HandleError.empty(""),
        """\
        the handle '' is empty.
          Why:  An empty string names no model; most often a variable was never set.
          Hint: Pass the directory, archive or URL of the model; the current directory is '.'.""",
    ),
    (
        "HandleError.nul",
        HandleError.nul("models/\0convnet"),
        """\
        the handle 'models/\\x00convnet' holds a NUL byte.
          Why:  No path can hold one; the text was probably read from a binary file.
          Hint: Remove it, with handle.replace('\\0', '') for instance.""",
    ),
    (
        "HandleError.one_slash",
        HandleError.one_slash("https:/tfhub.dev/google/nnlm-en-dim50/2"),
        """\
        the URL 'https:/tfhub.dev/google/nnlm-en-dim50/2' has lost a slash.
          Why:  It went through pathlib.Path or os.path.normpath, which collapse two slashes into one.
          Hint: Pass 'https://tfhub.dev/google/nnlm-en-dim50/2' as a str.""",
    ),
    (
        "HandleError.unknown_scheme",
        HandleError.unknown_scheme("nonesuch://bucket/model", "nonesuch"),
        """\
        unihub cannot read nonesuch:// URLs (nonesuch://bucket/model).
          Why:  Supported are file://, http://, https:// and the schemes that fsspec knows.
          Hint: Copy the model to a local directory and pass that.""",
    ),
    (
        "HandleError.other_machine",
        HandleError.other_machine("file://models/convnet", "models"),
        """\
        the file URL file://models/convnet names the host 'models'.
          Why:  The part between file:// and the next slash is a host name, and only local files can be read.
          Hint: Write three slashes before an absolute path, as in file:///models/convnet, or pass the path itself.""",
    ),
    (
        "HandleError.file_url_without_path",
        HandleError.file_url_without_path("file://models"),
        """\
        the file URL file://models has no path.
          Why:  The part between file:// and the next slash is a host name, and nothing follows it.
          Hint: Write three slashes before an absolute path, as in file:///models/convnet, or pass the path itself.""",
    ),
    (
        "HandleError.bad_url",
        HandleError.bad_url("https://", "It names no machine."),
        """\
        https:// is not a valid URL.
          Why:  It names no machine.
          Hint: Copy the address from a browser, or from the model's page.""",
    ),
    (
        "HandleError.no_kaggle_model",
        HandleError.no_kaggle_model("kaggle:google/nnlm"),
        """\
        kaggle:google/nnlm does not name a model on Kaggle.
          Why:  A model there has an owner, a name, a framework and a variation, and may have a version.
          Hint: Open the model's page on www.kaggle.com, choose framework, variation and version, and pass what its download
                button shows, as in kaggle:google/nnlm/tensorFlow2/en-dim50/1.""",
    ),
    (
        "HandleError.bad_pin",
        HandleError.bad_pin("model.tar.gz@sha256:12ab", "12ab"),
        """\
        the pin of model.tar.gz@sha256:12ab is not a SHA-256 digest.
          Why:  A digest has 64 hexadecimal digits; this one has 4 characters.
          Hint: Pass what sha256sum prints for the archive, or what unihub cache ls prints for the content.""",
    ),
    (
        "HandleError.unusable",
        HandleError.unusable("/dev/null", "It is neither a directory nor a regular file."),
        """\
        /dev/null cannot be used as a model.
          Why:  It is neither a directory nor a regular file.
          Hint: Pass a directory or an archive that this user may read.""",
    ),
    (
        "HandleError.not_a_target",
        HandleError.not_a_target(3),
        """\
        3 is not a directory to write to.
          Why:  A model is written to a directory, named by a str or a pathlib path.
          Hint: Pass the path of a directory that does not exist yet.""",
    ),
    (
        "HandleError.exists",
        HandleError.exists("models/new"),
        """\
        models/new exists already.
          Why:  Writing there would overwrite its content or mix with it.
          Hint: Choose another directory, or delete this one first; unihub.save takes overwrite=True.""",
    ),
    (
        "HandleError.not_a_number",
        HandleError.not_a_number("UNIHUB_MAX_ARCHIVE_BYTES", "64GiB", "bytes", 68719476736),
        """\
        the environment variable UNIHUB_MAX_ARCHIVE_BYTES is '64GiB'.
          Why:  It has to be a whole number of bytes.
          Hint: Set it to a whole number, such as the default 68719476736; or unset it.""",
    ),
    (
        "ModelNotFoundError.missing_path",
        ModelNotFoundError.missing_path("/models/brt/1", "/models", ["albert", "bert"]),
        """\
        there is no model at /models/brt/1.
          Why:  No such file or directory; of the directories above it, /models exists and holds albert, bert.
          Hint: Check the path. Did you mean 'bert'?""",
    ),
    (
        "ModelNotFoundError.missing_path",
        ModelNotFoundError.missing_path("/models/convnet", "/models", []),
        """\
        there is no model at /models/convnet.
          Why:  No such file or directory; of the directories above it, /models exists and holds nothing.
          Hint: Check the path.""",
    ),
    (
        "ModelNotFoundError.not_in_cache",
        ModelNotFoundError.not_in_cache("https://a/b", "/cache"),
        """\
        https://a/b is not in the cache.
          Why:  No entry at /cache has that name, or was fetched for that handle.
          Hint: unihub cache ls lists the entries.""",
    ),
    (
        "ModelNotFoundError.no_checkpoint",
        ModelNotFoundError.no_checkpoint("models/model.ckpt-7"),
        """\
        there is no checkpoint at models/model.ckpt-7.
          Why:  Neither models/model.ckpt-7.index nor a checkpoint's directory of that name exists.
          Hint: Pass what Saver.save returned: the name of the checkpoint's files up to .index and .data-*.""",
    ),
]
