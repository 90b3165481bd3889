"""Everything unihub raises, and every word of it.

::

    UnihubError
    +-- HandleError             (ValueError)           the handle names no model
    +-- ModelNotFoundError      (FileNotFoundError)    nothing is there
    +-- DownloadError           (OSError)              it could not be fetched
    +-- IntegrityError          (OSError)              it is there, but not whole
    +-- UnknownFormatError      (ValueError)           it is whole, but no model of ours
    +-- SignatureError          (ValueError)           no such way to call it
    +-- TagsError               (ValueError)           no such graph variant
    +-- InputError              (TypeError)            the call does not fit the signature
    +-- UnsupportedError        (NotImplementedError)  the matrix says no
    +-- ConversionError         (RuntimeError)         the converted model is not equal to the original
    +-- RuntimeUnavailableError (ImportError)          a package is missing, or too old or new
    +-- MissingOpsError         (RuntimeError)         TensorFlow lacks an op or a type the model uses
    +-- UnsafeModelError        (PermissionError)      the model may do harm
    +-- LoadError               (RuntimeError)         TensorFlow failed; what it raised is the ``__cause__``

Each leaf also is the builtin that callers already catch. A message has three parts, what, why and hint, and a last line
that links to the page about its class; the facts it speaks of are attributes. Wording lives here, in named
constructors, so that it is written and tested in one place.
"""

from __future__ import annotations

import difflib
import os
import textwrap
from typing import Any, Iterable, Optional, Sequence, Tuple

_WIDTH = 118

# Where the documentation is; site_url of mkdocs.yml.
DOCS = "https://unihub.readthedocs.io/en/latest/"


class UnihubError(Exception):
    """The root of the tree.

    Args:
        what: What is wrong, in one sentence.
        why: The reason.
        hint: What to do.
        **facts: The values the message speaks of; each becomes an attribute.

    Attributes:
        what: As given.
        why: As given.
        hint: As given.

    Example:
        >>> error = UnihubError("it is broken.", why="it fell.", hint="pick it up.", height=3)
        >>> error.height
        3
        >>> print(error)
        it is broken.
          Why:  it fell.
          Hint: pick it up.
          Docs: https://unihub.readthedocs.io/en/latest/errors/#unihuberror
    """

    # In a layer, or a tf.function, Keras and AutoGraph would raise errors of their own instead, unless it is marked.
    _keras_call_info_injected = True
    ag_pass_through = True

    def __init__(self, what: str, *, why: str, hint: str, **facts: Any) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.hint = hint
        self._facts = facts
        for name, value in facts.items():
            setattr(self, name, value)

    def __str__(self) -> str:
        parts = (self.what, _part("Why:  ", self.why), _part("Hint: ", self.hint), "  Docs: " + self.docs)
        return "\n".join(parts)

    @property
    def docs(self) -> str:
        """The address of the page about its class; about the nearest of ours, for a class that a user derived."""
        known = next(base for base in type(self).__mro__ if base.__module__ == __name__)
        return "{}errors/#{}".format(DOCS, known.__name__.lower())

    # Exceptions pickle by calling the class with ``args``, which cannot carry keyword arguments.
    def __reduce__(self) -> Tuple[Any, ...]:
        return _rebuild, (type(self), self.what, self.why, self.hint, self._facts)


def _rebuild(cls: Any, what: str, why: str, hint: str, facts: Any) -> UnihubError:
    error: UnihubError = cls(what, why=why, hint=hint, **facts)
    return error


def _part(label: str, text: str) -> str:
    """One labelled part of a message; lines are kept, long ones wrapped, later ones indented below the label."""
    indent = " " * (2 + len(label))
    lines = []
    for line in text.splitlines() or [""]:
        lines += textwrap.wrap(line, _WIDTH - len(indent), break_long_words=False, break_on_hyphens=False) or [""]
    return "  " + label + ("\n" + indent).join(lines)


class HandleError(UnihubError, ValueError):
    """The handle names no model."""

    @classmethod
    def not_a_place(cls, handle: Any) -> HandleError:
        """The handle is of a type that names no place."""
        kind = type(handle).__name__
        return cls(
            "a handle of type {} names no place.".format(kind),
            why="A model is looked for by a str, a pathlib path, or bytes.",
            hint="Pass the directory, archive or URL of the model. A callable or a hub.ModuleSpec is a model already "
            "and needs no resolving: give it to unihub.load.",
            type=kind,
        )

    @classmethod
    def empty(cls, handle: str) -> HandleError:
        """The handle is empty or blank."""
        return cls(
            "the handle {!r} is empty.".format(handle),
            why="An empty string names no model; most often a variable was never set.",
            hint="Pass the directory, archive or URL of the model; the current directory is '.'.",
            handle=handle,
        )

    @classmethod
    def nul(cls, handle: str) -> HandleError:
        """The handle holds a NUL byte."""
        return cls(
            "the handle {!r} holds a NUL byte.".format(handle),
            why="No path can hold one; the text was probably read from a binary file.",
            hint="Remove it, with handle.replace('\\0', '') for instance.",
            handle=handle,
        )

    @classmethod
    def one_slash(cls, handle: str) -> HandleError:
        """The handle is a URL that lost a slash."""
        return cls(
            "the URL {!r} has lost a slash.".format(handle),
            why="It went through pathlib.Path or os.path.normpath, which make one slash of two.",
            hint="Pass {!r} as a str.".format(handle.replace(":/", "://", 1)),
            handle=handle,
        )

    @classmethod
    def unknown_scheme(cls, handle: str, scheme: str) -> HandleError:
        """The handle is a URL of a kind that nothing here can read."""
        return cls(
            "nothing here can read {}:// ({}).".format(scheme, handle),
            why="URLs are understood with file://, http://, https:// and what fsspec knows, which is not this.",
            hint="Copy the model to a local directory and pass that.",
            handle=handle,
            scheme=scheme,
        )

    @classmethod
    def other_machine(cls, handle: str, host: str) -> HandleError:
        """The handle is a file URL that names another machine."""
        return cls(
            "the file URL {} names the machine {!r}.".format(handle, host),
            why="What stands between file:// and the next slash is a machine, and only this one's files can be read.",
            hint="Write three slashes before an absolute path, as in file:///models/convnet, or pass the path itself.",
            handle=handle,
            host=host,
        )

    @classmethod
    def file_url_without_path(cls, handle: str) -> HandleError:
        """The handle is a file URL without a path."""
        return cls(
            "the file URL {} has no path.".format(handle),
            why="What stands between file:// and the next slash is a machine, and there is nothing after it.",
            hint="Write three slashes before an absolute path, as in file:///models/convnet, or pass the path itself.",
            handle=handle,
        )

    @classmethod
    def bad_url(cls, handle: str, reason: str) -> HandleError:
        """The handle begins like a URL, but is none."""
        return cls(
            "{} is no URL.".format(handle),
            why="{}.".format(reason.rstrip(".")),
            hint="Copy the address from a browser, or from the model's page.",
            handle=handle,
            reason=reason,
        )

    @classmethod
    def no_kaggle_model(cls, handle: str) -> HandleError:
        """The handle begins like a model on Kaggle, but does not go on so."""
        return cls(
            "{} names no model on Kaggle.".format(handle),
            why="A model there has an owner, a name, a framework and a variation, and may have a version.",
            hint="Open the model's page on www.kaggle.com, choose framework, variation and version, and pass what its "
            "download button shows, as in kaggle:google/nnlm/tensorFlow2/en-dim50/1.",
            handle=handle,
        )

    @classmethod
    def bad_pin(cls, handle: str, digest: str) -> HandleError:
        """What follows @sha256: is no digest."""
        return cls(
            "the pin of {} is no SHA-256 digest.".format(handle),
            why="A digest has 64 hexadecimal digits behind a handle, and here are {} characters.".format(len(digest)),
            hint="Pass what sha256sum prints for the archive, or what unihub cache ls prints for the content.",
            handle=handle,
            digest=digest,
        )

    @classmethod
    def unusable(cls, handle: str, reason: str) -> HandleError:
        """The handle names something on disk that cannot be opened as a model."""
        return cls(
            "{} cannot be used as a model.".format(handle),
            why=reason,
            hint="Pass a directory or an archive that this user may read.",
            handle=handle,
            reason=reason,
        )

    @classmethod
    def not_a_target(cls, target: Any) -> HandleError:
        """The directory to be written is no path."""
        return cls(
            "{!r} names no directory to write to.".format(target),
            why="A model is written to a directory, named by a str or a pathlib path.",
            hint="Pass the path of a directory that is not there yet.",
        )

    @classmethod
    def exists(cls, path: str) -> HandleError:
        """The directory to be written is there already."""
        return cls(
            "{} exists already.".format(path),
            why="What is there would be overwritten, or mixed with what is written.",
            hint="Give another directory, or delete this one first; unihub.save takes overwrite=True.",
            path=path,
        )

    @classmethod
    def not_a_number(cls, variable: str, value: str, unit: str, otherwise: int) -> HandleError:
        """An environment variable that bounds what a handle may cost holds no number."""
        return cls(
            "the environment variable {} is {!r}.".format(variable, value),
            why="It has to be a whole number of {}.".format(unit),
            hint="Set it to one, such as {}, which holds without it; or unset it.".format(otherwise),
            variable=variable,
            value=value,
        )


class ModelNotFoundError(UnihubError, FileNotFoundError):
    """Nothing is at the place the handle names."""

    @classmethod
    def missing_path(cls, path: str, parent: str, siblings: Sequence[str]) -> ModelNotFoundError:
        """There is no such file or directory.

        Args:
            path: What was asked for.
            parent: The nearest directory above it that exists.
            siblings: What is in there.
        """
        step = os.path.relpath(path, parent).split(os.sep)[0]
        return cls(
            "there is no model at {}.".format(path),
            why="No such file or directory; of the directories above it, {} exists and holds {}.".format(
                parent, _first(sorted(siblings))
            ),
            hint="Check the path." + _closest(step, siblings),
            path=path,
            parent=parent,
        )

    @classmethod
    def not_in_cache(cls, name: str, cache: str) -> ModelNotFoundError:
        """The cache has no such entry."""
        return cls(
            "there is nothing of {} in the cache.".format(name),
            why="No entry at {} has that name, or was fetched for that handle.".format(cache),
            hint="unihub cache ls lists what is there.",
            name=name,
            cache=cache,
        )

    @classmethod
    def no_checkpoint(cls, checkpoint: str) -> ModelNotFoundError:
        """There is no such checkpoint."""
        return cls(
            "there is no checkpoint at {}.".format(checkpoint),
            why="Neither {0}.index nor a checkpoint's directory of that name exists.".format(checkpoint),
            hint="Pass what Saver.save returned: the name of the checkpoint's files up to .index and .data-*.",
            checkpoint=checkpoint,
        )


class DownloadError(UnihubError, OSError):
    """The model could not be fetched."""

    @classmethod
    def nowhere(cls, handle: str, failures: Sequence[UnihubError], kaggle: str, command: str) -> DownloadError:
        """No place that may have a model gave it.

        Args:
            handle: What was asked for.
            failures: What each place answered.
            kaggle: The name of the model on Kaggle, if it has one.
            command: What fetches it beforehand.
        """
        answers = ["{}: {}".format(getattr(failure, "url", ""), _answer(failure)) for failure in failures]
        hints = [failure.hint for failure in failures]
        beforehand = "Where the network allows it, this fetches it beforehand: {}".format(command)
        if kaggle:
            beforehand += "\nOn Kaggle its name is {0}: kagglehub.model_download({0!r}).".format(kaggle)
        return cls(
            "{} could not be fetched.".format(handle),
            why="\n".join(answers) or "No place is known that may have it.",
            hint="\n".join([*dict.fromkeys(hints), beforehand]),
            handle=handle,
            answers=tuple(answers),
            causes=tuple(getattr(failure, "cause", "") for failure in failures),
            status=next((failure.status for failure in reversed(failures) if hasattr(failure, "status")), None),
            kaggle=kaggle,
            command=command,
        )

    @classmethod
    def offline(cls, handle: str, place: str, command: str) -> DownloadError:
        """It would have to be fetched, and no connection may be opened."""
        return cls(
            "{} is not on this machine.".format(handle),
            why="It is not at {}, and no connection is opened: UNIHUB_OFFLINE is set, or offline=True.".format(place),
            hint="Where there is a connection, with the same UNIHUB_CACHE_DIR: {}".format(command),
            handle=handle,
            path=place,
            command=command,
        )

    @classmethod
    def answered(cls, url: str, status: int, answer: str, retry_after: Any = None) -> DownloadError:
        """A server answered with an error."""
        if status in (401, 403):
            hint = "The model may be private, or want a login or a consent: see its page in a browser."
        elif status in (404, 410):
            hint = "Check the address, and whether that version of the model still exists."
        elif retry_after:
            hint = "The server asks to come back after {:.0f} s.".format(retry_after)
        else:
            hint = "The server has trouble of its own; try again later."
        return _at(url, answer, hint, "http", status=status)

    @classmethod
    def proxy(cls, url: str, reason: str) -> DownloadError:
        """The proxy does not work."""
        hint = "Check https_proxy, http_proxy and no_proxy: the proxy they name did not let the request through."
        return _at(url, "the proxy failed ({})".format(reason), hint, "proxy")

    @classmethod
    def certificate(cls, url: str, reason: str) -> DownloadError:
        """The server's certificate is not trusted."""
        hint = (
            "If your network puts a certificate of its own in between, let REQUESTS_CA_BUNDLE name the file with it; "
            "and check the clock of this machine."
        )
        return _at(url, "its certificate is not trusted ({})".format(reason), hint, "certificate")

    @classmethod
    def no_such_host(cls, url: str, host: str, reason: str) -> DownloadError:
        """The server's name is not known."""
        hint = "Check the name {}, and the DNS of this machine; behind a proxy, set https_proxy.".format(host)
        return _at(url, "the name of the server is not known ({})".format(reason), hint, "dns", host=host)

    @classmethod
    def redirects(cls, url: str, most: int) -> DownloadError:
        """A server redirects without end."""
        hint = "The server is set up wrong, or wants a cookie: open the address in a browser."
        return _at(url, "more than {} redirects".format(most), hint, "redirects")

    @classmethod
    def timed_out(cls, url: str, seconds: int, variable: str) -> DownloadError:
        """A server does not answer, or hardly sends anything."""
        hint = "Try again, which goes on where it stopped; let {} allow more seconds.".format(variable)
        return _at(url, "hardly anything came for {} s".format(seconds), hint, "timeout")

    @classmethod
    def no_connection(cls, url: str, reason: str) -> DownloadError:
        """The connection could not be made, or broke off again and again."""
        hint = "Check the network, and whether a proxy is needed (https_proxy). What has come is kept for a day."
        return _at(url, "the connection failed ({})".format(reason), hint, "connection")

    @classmethod
    def web_page(cls, url: str) -> DownloadError:
        """A server answered with a page for people."""
        hint = "Open the address in a browser: it may want a login, or have no archive of the model."
        return _at(url, "a web page, not an archive", hint, "page")

    @classmethod
    def through_kagglehub(cls, name: str, error: BaseException) -> DownloadError:
        """Kaggle's own client failed."""
        hint = "See whether kagglehub.model_download({!r}) works by itself.".format(name)
        return _at("kaggle:" + name, "{}: {}".format(type(error).__name__, _brief(error)), hint, "client")

    @classmethod
    def through_fsspec(cls, url: str, error: BaseException) -> DownloadError:
        """A file system of fsspec failed."""
        hint = "See whether fsspec.open({!r}) works by itself; it may need credentials.".format(url)
        return _at(url, "{}: {}".format(type(error).__name__, _brief(error)), hint, "client")

    @classmethod
    def no_space(cls, url: str, cache: str, needed: int, free: int) -> DownloadError:
        """There is not enough room for it."""
        answer = "it needs {:,} bytes in the cache at {}, where {:,} are free".format(needed, cache, free)
        return _at(url, answer, _OTHER_CACHE, "disk", cache=cache, needed=needed, free=free)

    @classmethod
    def cannot_write(cls, url: str, cache: str, reason: str) -> DownloadError:
        """The cache cannot be written."""
        answer = "it could not be written to the cache at {} ({})".format(cache, reason)
        return _at(url, answer, _OTHER_CACHE, "disk", cache=cache, reason=reason)

    @classmethod
    def cannot_unpack(cls, path: str, cache: str, reason: str) -> DownloadError:
        """An archive cannot be read, or the cache not be written."""
        return cls(
            "{} could not be unpacked into the cache at {}.".format(path, cache),
            why=reason,
            hint="Let the environment variable UNIHUB_CACHE_DIR name a directory that can be written and has room; or "
            "unpack the archive yourself and pass the directory.",
            path=path,
            cache=cache,
            reason=reason,
        )


class IntegrityError(UnihubError, OSError):
    """The model is there, but not whole."""

    @classmethod
    def missing_graph(cls, path: str) -> IntegrityError:
        """Parts of a SavedModel, but not its graph."""
        return cls(
            "the model at {} is not whole: saved_model.pb is missing.".format(path),
            why="The other files of a SavedModel are there, but not the one with its graphs and signatures.",
            hint="Fetch or export the model again; a download or copy that was cut short leaves this behind.",
            path=path,
            files=("saved_model.pb",),
        )

    @classmethod
    def missing_variables(cls, path: str, files: Sequence[str]) -> IntegrityError:
        """The graph has variables, but files with their values are missing."""
        return cls(
            "the model at {} is not whole: {} missing.".format(path, _are(files)),
            why="TensorFlow restores the model's variables from there when it loads it.",
            hint="Fetch or export the model again. A repository may leave files out by its size limits or its "
            ".gitignore; then ask its owner for them.",
            path=path,
            files=tuple(files),
        )

    @classmethod
    def missing_assets(cls, path: str, files: Sequence[str]) -> IntegrityError:
        """The graph reads files that are missing."""
        return cls(
            "the model at {} is not whole: {} missing.".format(path, _are(files)),
            why="The model reads its vocabularies and other assets from there.",
            hint="Fetch or export the model again, and copy its assets directory with it.",
            path=path,
            files=tuple(files),
        )

    @classmethod
    def missing_in_keras_file(cls, handle: str) -> IntegrityError:
        """A Keras file says that it holds a model, and does not."""
        return cls(
            "the file was saved with the SavedModel of {} in it, which is not there.".format(handle),
            why="A layer that was loaded with self_contained=True keeps the model among the assets of the .keras file.",
            hint="Read the .keras file as it was saved; weights alone go into a model that is built by your code.",
            handle=handle,
        )

    @classmethod
    def git_lfs_pointer(cls, file: str, size: int) -> IntegrityError:
        """A file was not fetched from git-lfs."""
        return cls(
            "{} is a git-lfs pointer, not the file itself.".format(file),
            why="The repository keeps large files apart, and what was fetched only says where this one is"
            + (" ({:,} bytes).".format(size) if size else "."),
            hint='Run "git lfs install" and then "git lfs pull" in the repository that it came from, or download the '
            "file from the repository's web page.",
            file=file,
            size=size,
        )

    @classmethod
    def short_file(cls, file: str, size: int, needed: int) -> IntegrityError:
        """A shard of the variables ends early."""
        return cls(
            "{} is cut short.".format(file),
            why="It has {:,} bytes, and the variables in it need {:,}.".format(size, needed),
            hint="Fetch or export the model again; the download or copy did not come to its end.",
            file=file,
            size=size,
            needed=needed,
        )

    @classmethod
    def damaged(cls, file: str, reason: str, truncated: bool) -> IntegrityError:
        """A file cannot be understood.

        Args:
            file: The file.
            reason: Where and why reading it failed.
            truncated: Whether it is right as far as it goes.
        """
        return cls(
            "{} is {}.".format(file, "cut short" if truncated else "damaged"),
            why="Reading it failed: {}.".format(reason),
            hint="Fetch or export the model again"
            + ("; the download or copy did not come to its end." if truncated else "."),
            file=file,
            reason=reason,
            truncated=truncated,
        )

    @classmethod
    def changed(cls, file: str) -> IntegrityError:
        """A file is not the one that was read before.

        Args:
            file: The file.
        """
        return cls(
            "{} has changed since the model was inspected.".format(file),
            why="What was found then is that of another file, and the rest of it cannot be read any more.",
            hint="Inspect or load the model again.",
            file=file,
        )

    @classmethod
    def unreadable(cls, file: str, reason: str) -> IntegrityError:
        """The operating system refuses to read a file."""
        return cls(
            "{} cannot be read.".format(file),
            why="{}.".format(reason.rstrip(".")),
            hint="Check the permissions of the file and of the directories above it, and the disk it is on.",
            file=file,
            reason=reason,
        )

    @classmethod
    def broken_archive(cls, path: str, reason: str) -> IntegrityError:
        """An archive is cut off, damaged, or no archive at all."""
        return cls(
            "the archive {} is damaged.".format(path),
            why="Reading it failed: {}.".format(reason),
            hint="Download or copy it again, and look at what it is: a web page or a git-lfs pointer saved under the "
            "name of an archive fails like this too.",
            path=path,
            reason=reason,
        )

    @classmethod
    def harmful_member(cls, path: str, member: str, reason: str) -> IntegrityError:
        """An archive has a member that could write outside the archive's directory, or fill the disk."""
        return cls(
            "the archive {} was refused because of its member {!r}.".format(path, member),
            why=reason,
            hint="No model needs such a member: get the archive from a source you trust. If you trust this one, unpack "
            "it yourself and pass the directory.",
            path=path,
            member=member,
            reason=reason,
        )

    @classmethod
    def archive_too_large(cls, path: str, limit: int, variable: str) -> IntegrityError:
        """An archive unpacks to more than is allowed."""
        return cls(
            "the archive {} was refused: unpacked, it has more than {} bytes.".format(path, limit),
            why="A small archive can be made to unpack to any size and fill the disk.",
            hint="If you trust it, let the environment variable {} allow more bytes.".format(variable),
            path=path,
            limit=limit,
        )

    @classmethod
    def archive_inflates(cls, path: str, ratio: int, variable: str) -> IntegrityError:
        """An archive unpacks to many times its size."""
        return cls(
            "the archive {} was refused: unpacked, it has more than {} times its size.".format(path, ratio),
            why="A small archive can be made to unpack to any size and fill the disk.",
            hint="If you trust it, let the environment variable {} allow more.".format(variable),
            path=path,
            ratio=ratio,
        )

    @classmethod
    def damaged_entry(cls, path: str, problems: Sequence[str]) -> IntegrityError:
        """Files of a model in the cache were removed, cut short or changed."""
        return cls(
            "the copy in the cache at {} is damaged.".format(path),
            why="Since it was fetched: {}.".format(_first(problems)),
            hint="Where there is a connection it is fetched again by itself; unihub cache prune removes it.",
            path=path,
            problems=tuple(problems),
        )

    @classmethod
    def not_the_pinned(cls, handle: str, pin: str, digests: Sequence[str]) -> IntegrityError:
        """The content is not what the handle pins."""
        return cls(
            "the content of {} is another.".format(handle),
            why="Its SHA-256 digest is {}.".format(" (content), ".join(digests) + " (archive)" * (len(digests) > 1)),
            hint="Somebody has replaced the model, or the pin is that of another version. Nothing is kept of it.",
            handle=handle,
            pin=pin,
            digests=tuple(digests),
        )

    @classmethod
    def not_as_promised(cls, url: str, promised: str, found: str) -> IntegrityError:
        """A server sent something else than it says."""
        return cls(
            "what came from {} is not what the server says it sends.".format(url),
            why="Its MD5 digest is {}, and the server promised {}.".format(found, promised),
            hint="Try again; if it stays so, something between here and the server changes what is sent.",
            url=url,
            promised=promised,
            found=found,
        )


class UnknownFormatError(UnihubError, ValueError):
    """What is there is no TensorFlow Hub model."""

    @classmethod
    def empty_directory(cls, path: str) -> UnknownFormatError:
        """A directory with nothing in it."""
        return cls(
            "{} holds no model: it is empty.".format(path),
            why="A model is a directory with a saved_model.pb in it.",
            hint="Export with tf.saved_model.save(model, {0}) or fetch a model into it; unihub.load({0}) then loads "
            "it.".format(_quoted(path)),
            path=path,
        )

    @classmethod
    def other_format(cls, path: str, kind: str) -> UnknownFormatError:
        """A model that belongs to something else, or no model.

        Args:
            path: The file or directory.
            kind: Which of the formats that are known by sight it has.
        """
        what, why, hint = _OTHER_FORMATS[kind]
        return cls(
            "{} is {}.".format(path, what),
            why=why,
            hint=hint.format(path=_quoted(path), directory=_quoted(os.path.dirname(path) or ".")),
            path=path,
            kind=kind,
        )

    @classmethod
    def named_by_handle(cls, handle: str, kind: str, kaggle: str) -> UnknownFormatError:
        """A handle names something else than a SavedModel.

        Args:
            handle: The handle.
            kind: One of the known formats, or ``framework`` for another one of Kaggle's.
            kaggle: The name of the model on Kaggle, if it is one.
        """
        what, why, call = _OTHER_FORMATS.get(kind, _OTHER_FRAMEWORK)
        get = "path = kagglehub.model_download({!r})".format(kaggle) if kaggle else "Download it to a path"
        return cls(
            "{} is {}.".format(handle, what),
            why="{} The handle says so, and nothing was downloaded.".format(why),
            hint="{}; then: {}".format(get, call.format(path="path", directory="path")),
            handle=handle,
            kind=kind,
        )

    @classmethod
    def nested_model(cls, path: str, child: str) -> UnknownFormatError:
        """The model is one level below."""
        return cls(
            "{} is not a model, but holds one.".format(path),
            why="The model is in its directory {}, as TensorFlow Serving and unpacked archives lay models out.".format(
                os.path.basename(child)
            ),
            hint="Give that one: unihub.load({}).".format(_quoted(child)),
            path=path,
            child=child,
        )

    @classmethod
    def nothing_known(cls, path: str, names: Sequence[str] = ()) -> UnknownFormatError:
        """Neither a model nor anything known by sight.

        Args:
            path: The file or directory.
            names: What is in it, when it is a directory.
        """
        return cls(
            "{} is no model.".format(path),
            why="It holds {}, but no saved_model.pb.".format(_first(names))
            if names
            else "It is a file, in no format that is known here; a model is a directory with a saved_model.pb in it.",
            hint="Give the directory that tf.saved_model.save() or tf.compat.v1.saved_model.Builder() wrote, as in "
            'unihub.load("path/to/directory").',
            path=path,
            names=tuple(names),
        )


class SignatureError(UnihubError, ValueError):
    """The model has no such way to be called."""

    @classmethod
    def unknown(cls, path: str, signature: str, signatures: Sequence[Any]) -> SignatureError:
        names = [known.name for known in signatures]
        return cls(
            "{} has no signature named {!r}.".format(path, signature),
            why="It has {}".format("these:\n" + _table(signatures) if names else "no signatures at all."),
            hint="pass one of them as signature=, or leave it out." + _closest(signature, names)
            if names
            else "leave signature= out.",
            path=path,
            signature=signature,
            signatures=tuple(names),
        )

    @classmethod
    def required(cls, path: str, signatures: Sequence[Any]) -> SignatureError:
        return cls(
            "{} {}.".format(path, "does not say which of its signatures to call" if signatures else "cannot be called"),
            why="None is named 'serving_default' or 'default', and there is not just one:\n" + _table(signatures)
            if signatures
            else "It has no signatures, and its root object is no function.",
            hint="pass signature= with one of the names."
            if signatures
            else "have it exported again with signatures; what it holds are the attributes of "
            "tf.saved_model.load({}).".format(_quoted(path)),
            path=path,
            signatures=tuple(known.name for known in signatures),
        )

    @classmethod
    def not_loaded(cls, path: str, name: str, use: Any) -> SignatureError:
        return cls(
            "{!r} of {} is not there.".format(name, path),
            why="Only what was asked for was loaded: {}. If the model has it, it was left out.".format(use),
            hint="load the model with full=True.",
            path=path,
            name=name,
        )

    @classmethod
    def unknown_output(cls, signature: str, output_key: str, names: Sequence[str]) -> SignatureError:
        return cls(
            "{} has no output named {!r}.".format(signature, output_key),
            why="Its outputs are: {}.".format(", ".join(sorted(names)) or "none by name"),
            hint="pass one of them as output_key=, or as_dict=True for all." + _closest(output_key, names),
            signature=signature,
            output_key=output_key,
            outputs=tuple(sorted(names)),
        )

    @classmethod
    def outside_module_function(cls, function: str) -> SignatureError:
        return cls(
            "unihub.{} was called where no module is under construction.".format(function),
            why="It speaks of the graph that a module function builds, and the current graph is no such graph.",
            hint="call it in the function that is given to unihub.save, and there neither in a tf.function nor in a "
            "branch or loop of TensorFlow 2.",
            function=function,
        )

    @classmethod
    def none_added(cls, tags: Iterable[str]) -> SignatureError:
        return cls(
            "the module function added no signature to the graph variant {}.".format(_tags(tags)),
            why="A module is called through its signatures; without one it cannot be used.",
            hint="call unihub.add_signature in the function, with the tensors that go in and come out.",
            tags=frozenset(tags),
        )

    @classmethod
    def added_twice(cls, signature: str) -> SignatureError:
        return cls(
            "the module function added the signature {!r} twice.".format(signature),
            why="The second would take the place of the first.",
            hint="give each signature a name of its own; without a name it is called 'default'.",
            signature=signature,
        )

    @classmethod
    def not_a_name(cls, name: Any) -> SignatureError:
        return cls(
            "{!r} cannot name a signature, or an input or output of one.".format(name),
            why="expected a str; got {}.".format(type(name).__name__),
            hint="pass a str.",
            name=name,
        )

    @classmethod
    def not_traced(cls, signature: str, function: Any, traces: int) -> SignatureError:
        return cls(
            "{!r} among the signatures is not one function of known inputs.".format(signature),
            why="It is {}{}.".format(_kind(function), " with {} traces".format(traces) if traces else ", not traced"),
            hint="pass a tf.function with an input_signature, or what its get_concrete_function() returns.",
            signature=signature,
        )


class TagsError(UnihubError, ValueError):
    """The model has no such graph variant, or it contradicts the other arguments."""

    @classmethod
    def unknown(cls, path: str, tags: Iterable[str], tag_sets: Sequence[Iterable[str]]) -> TagsError:
        return cls(
            "{} has no graph variant with the tags {}.".format(path, _tags(tags)),
            why="Its variants are: {}.".format(", ".join(_tags(known) for known in tag_sets)),
            hint="pass one of these as tags=, or leave it out.",
            path=path,
            tags=frozenset(tags),
            tag_sets=tuple(frozenset(known) for known in tag_sets),
        )

    @classmethod
    def required(cls, path: str, tag_sets: Sequence[Iterable[str]]) -> TagsError:
        return cls(
            "{} does not say which of its graph variants to load.".format(path),
            why="None is plain or tagged {{'serve'}}, and there is not just one: {}.".format(
                ", ".join(_tags(known) for known in tag_sets)
            ),
            hint="pass one of these as tags=.",
            path=path,
            tag_sets=tuple(frozenset(known) for known in tag_sets),
        )

    @classmethod
    def train_variant_is_frozen(cls, path: str, tags: Iterable[str]) -> TagsError:
        return cls(
            "the graph variant {} of {} is for training, and trainable is False.".format(_tags(tags), path),
            why="It keeps dropout active and uses the statistics of each batch, so its outputs would be silently "
            "wrong.",
            hint="leave tags= out for inference; or load with trainable=True.",
            path=path,
            tags=frozenset(tags),
        )

    @classmethod
    def repeated(cls, tags: Iterable[str]) -> TagsError:
        return cls(
            "two graph variants have the tags {}.".format(_tags(tags)),
            why="A graph variant is chosen by its tags, so these two could not be told apart.",
            hint="give each variant tags of its own; the plain one has none.",
            tags=frozenset(tags),
        )


class InputError(UnihubError, TypeError):
    """The arguments of a call do not fit the model."""

    @classmethod
    def not_trust(cls, value: Any) -> InputError:
        """The argument trust= is of another kind."""
        return cls(
            "trust={!r} says nothing.".format(value),
            why="It is True, False, None, the name of an op, or a collection of such names.",
            hint="pass True for a model whose author you trust, or the names that inspect(...).unsafe_ops lists.",
            value=value,
        )

    @classmethod
    def wrong_names(cls, signature: Any, names: Iterable[str]) -> InputError:
        given, expected = sorted(map(str, names)), sorted(tensor.name for tensor in signature.inputs)
        unknown = [name for name in given if name not in expected]
        return cls(
            "the inputs do not have the names that {!r} expects.".format(signature.name),
            why="expected {}; got {}.".format(", ".join(expected) or "no inputs", ", ".join(given) or "none"),
            hint="pass a dict with exactly these names." + "".join(_closest(name, expected) for name in unknown[:1]),
            signature=signature.name,
            expected=tuple(expected),
            given=tuple(given),
        )

    @classmethod
    def needs_dict(cls, signature: Any) -> InputError:
        return cls(
            "{!r} has {} inputs, and got one value without a name.".format(signature.name, len(signature.inputs)),
            why="Its inputs are:\n" + _table(signature.inputs) if signature.inputs else "It takes no inputs at all.",
            hint="pass a dict by input name." if signature.inputs else "call it with an empty dict.",
            signature=signature.name,
            expected=tuple(tensor.name for tensor in signature.inputs),
        )

    @classmethod
    def does_not_fit(cls, name: str, expected: str, given: str) -> InputError:
        return cls(
            "the input {!r} does not fit the model.".format(name),
            why="expected {}; got {}.".format(expected, given),
            hint="convert it before the call.",
            name=name,
            expected=expected,
            given=given,
        )

    @classmethod
    def rows_differ(cls, what: str, expected: Any, given: Any) -> InputError:
        return cls(
            "the rows of a batch have different {}.".format(what),
            why="the first has {}; another has {}.".format(expected, given),
            hint="give all rows the same names, dtypes and shapes; or make batches of one row.",
            expected=str(expected),
            given=str(given),
        )

    @classmethod
    def not_by_rows(cls, shape: str, count: int) -> InputError:
        return cls(
            "an output of the model has no row for each that went in.",
            why="{} went in; the output has the shape {}.".format(count, shape),
            hint="choose another output with output_key=, or another signature.",
            shape=shape,
            count=count,
        )

    @classmethod
    def no_column(cls, name: str, output: str) -> InputError:
        return cls(
            "the output {!r} cannot be a column of Spark's.".format(name),
            why="A column holds numbers and texts, of known rank and one row for each that went in; this is\n" + output,
            hint="choose another output with output_key=, or another signature.",
            name=name,
            output=output,
        )

    @classmethod
    def fits_no_trace(cls, path: str, given: str, expected: Sequence[str]) -> InputError:
        return cls(
            "the arguments fit none of the ways in which {} can be called.".format(path),
            why="got {}; expected one of\n{}".format(given, _table(expected)),
            hint="convert the inputs to one of these structures, dtypes and shapes.",
            path=path,
            given=given,
            expected=tuple(expected),
        )

    @classmethod
    def training_is_no_bool(cls, value: Any) -> InputError:
        return cls(
            "training= must be True, False or None; got {}.".format(type(value).__name__),
            why="It selects which of the functions in the model is called, before TensorFlow runs it.",
            hint="pass a Python bool; to switch inside a graph, call the model in both branches of tf.cond. Further "
            "arguments of the model go by their names.",
            given=value,
        )

    @classmethod
    def frozen(cls, path: str) -> InputError:
        return cls(
            "{} was loaded with trainable=False and cannot be called with training=True.".format(path),
            why="A frozen model never runs in training mode: dropout and batch statistics would change its outputs.",
            hint="load it with trainable=True; or call it without training=.",
            path=path,
        )

    @classmethod
    def contradicts_variant(cls, path: str, tags: Iterable[str], training: bool) -> InputError:
        return cls(
            "{} was loaded as the graph variant {} and cannot be called with training={}.".format(
                path, _tags(tags), training
            ),
            why="In the tf1-hub format the variant is chosen when the model is loaded, for all of its calls.",
            hint="leave training= out; or load the model once more with tags= for the other variant.",
            path=path,
            tags=frozenset(tags),
            training=training,
        )

    @classmethod
    def other_graph(cls, path: str) -> InputError:
        return cls(
            "{} was loaded in another graph than the one it is used in.".format(path),
            why="In graph runtimes a model belongs to the tf.Graph that was current when it was loaded.",
            hint="load it again inside this graph (an Estimator's model_fn loads its own).",
            path=path,
        )

    @classmethod
    def other_strategy(cls, path: str, strategy: str, own: Optional[str]) -> InputError:
        return cls(
            "{} is used in the scope of a {}, and was loaded {}.".format(
                path, strategy, "in that of another strategy, a {}".format(own) if own else "outside of it"
            ),
            why="Its variables are not the strategy's: each replica or worker would change its own, or find none.",
            hint="call unihub.load inside `with strategy.scope():`, with the strategy that trains.",
            path=path,
            strategy=strategy,
        )

    @classmethod
    def other_keras(cls, name: str, own: Any, other: Any) -> InputError:
        names = {"keras2": "Keras 2 (tf_keras, or tf.keras before TensorFlow 2.16)", "keras3": "Keras 3 (keras)"}
        return cls(
            "{!r} is a {} layer, and was called with a tensor of {}.".format(name, own, other),
            why="The layer belongs to {}, and the model around it to {}; the two cannot be mixed.".format(
                names[str(own)], names[str(other)]
            ),
            hint='load it with keras="{}"; or build the model around it with the Keras of the layer.'.format(other),
            name=name,
            keras=own,
            other=other,
        )

    @classmethod
    def needs_output_shape(cls, name: str) -> InputError:
        return cls(
            "an output of {!r} has no known rank, and a Keras model needs one.".format(name),
            why="The model's files do not tell the shape, and Keras plans the layers that follow by it.",
            hint="pass the shapes without the batch as output_shape=, nested as the outputs are.",
            name=name,
        )

    @classmethod
    def unknown_layer_option(cls, option: str, known: Sequence[str]) -> InputError:
        return cls(
            "a Keras 3 layer has no argument {!r}.".format(option),
            why="Known are {}, and the arguments of unihub.load.".format(", ".join(known)),
            hint="leave it out." + _closest(option, known),
            option=option,
        )

    @classmethod
    def finalized_graph(cls) -> InputError:
        return cls(
            "initialize() cannot add to a finalized graph.",
            why="It needs ops that tell which variables are still uninitialized, and this graph takes no more ops.",
            hint="call it before the graph is finalized; a MonitoredSession and an Estimator initialize by themselves.",
        )

    @classmethod
    def unknown_option(cls, option: str, known: Sequence[str]) -> InputError:
        return cls(
            "there is no argument {!r} here.".format(option),
            why="Known are {}; any other belongs to a Keras layer.".format(", ".join(known)),
            hint='leave it out, or load the model with api="keras".' + _closest(option, known),
            option=option,
        )

    @classmethod
    def unknown_word(cls, argument: str, value: Any, words: Sequence[str]) -> InputError:
        return cls(
            "{}={!r} is none of the words it knows.".format(argument, value),
            why="expected one of {}.".format(", ".join(words)),
            hint="pass one of these." + _closest(str(value), words),
            argument=argument,
            given=value,
            expected=tuple(words),
        )

    @classmethod
    def needs_tensorflow_version(cls) -> InputError:
        return cls(
            "there is no TensorFlow to plan for.",
            why="None is installed here, and none was named.",
            hint="name one, as in --tensorflow 2.15; or pip install 'unihub[tensorflow]'.",
        )

    @classmethod
    def no_such_runtime(cls, runtime: str, tensorflow: str, known: Sequence[str]) -> InputError:
        return cls(
            "TensorFlow {} has no runtime {}.".format(tensorflow, runtime),
            why="It runs as {} or {}; tf1 is TensorFlow 1.x, tf1-compat and tf2-graph belong to 2.x.".format(
                ", ".join(known[:-1]), known[-1]
            ),
            hint="name another runtime, or another version of TensorFlow.",
            runtime=runtime,
            tensorflow=tensorflow,
        )

    @classmethod
    def not_a_tensor(cls, signature: str, side: str, name: str, value: Any) -> InputError:
        return cls(
            "the {} {!r} of the signature {!r} is no tensor.".format(side, name, signature),
            why="expected a Tensor, a SparseTensor or (from TensorFlow 1.15) a RaggedTensor; got {}.".format(
                type(value).__name__
            ),
            hint="pass a tensor; tf.identity makes one of a variable, tf.constant of an array.",
            signature=signature,
            name=name,
            kind=type(value).__name__,
        )

    @classmethod
    def tensor_elsewhere(cls, signature: str, side: str, name: str) -> InputError:
        return cls(
            "the {} {!r} of the signature {!r} belongs to another graph.".format(side, name, signature),
            why="A module function is called in a graph of its own, and only what it makes there is in the module.",
            hint="make the tensor in the module function itself.",
            signature=signature,
            name=name,
        )

    @classmethod
    def colocated(cls, what: str, places: Sequence[str]) -> InputError:
        return cls(
            "{} must not be placed beside another op.".format(what),
            why="It is colocated with {}. When the module is used, its place is taken by what is elsewhere.".format(
                ", ".join(place.replace("loc:@", "", 1) for place in places)
            ),
            hint="make it outside of tf.colocate_with; the other op may be placed beside it instead.",
            places=tuple(places),
        )

    @classmethod
    def attachment_key(cls, key: Any) -> InputError:
        return cls(
            "{!r} is no key for a message.".format(key),
            why="A key is made of letters, digits and underscores, and begins with a letter.",
            hint="rename it.",
            key=key,
        )

    @classmethod
    def not_a_message(cls, key: str, value: Any) -> InputError:
        return cls(
            "what is to be attached as {!r} is no protocol message.".format(key),
            why="expected a protobuf message; got {}.".format(type(value).__name__),
            hint="pass one, such as a tf.train.Features, or a message class of your own.",
            key=key,
        )

    @classmethod
    def unsupported_collections(cls, names: Sequence[str], known: Sequence[str]) -> InputError:
        return cls(
            "the module function filled collections that no module can have: {}.".format(", ".join(names)),
            why="Whoever loads a module takes over these alone: {}.".format(", ".join(known)),
            hint="leave them empty; del tf.compat.v1.get_collection_ref({!r})[:] at the end of the function "
            "does.".format(names[0]),
            names=tuple(names),
        )

    @classmethod
    def asset_is_no_constant(cls, node: str) -> InputError:
        return cls(
            "the asset {!r} is no constant.".format(node),
            why="The files of a module are named by constants in its graph, one text each; these are set when it is "
            "loaded.",
            hint="pass the file's path as a str.",
            node=node,
        )

    @classmethod
    def variables_disagree(
        cls, variable: str, first: str, first_tags: Any, second: str, second_tags: Any
    ) -> InputError:
        def place(tags: Any) -> str:
            return "the checkpoint" if tags is None else "the graph variant {}".format(_tags(tags))

        return cls(
            "there is more than one variable {!r}.".format(variable),
            why="It is {} in {}, and {} in {}.".format(first, place(first_tags), second, place(second_tags)),
            hint="give it one dtype and shape; or, if these are different variables, names of their own.",
            variable=variable,
            declarations=(first, second),
        )

    @classmethod
    def missing_in_checkpoint(cls, checkpoint: str, names: Sequence[str], known: Sequence[str]) -> InputError:
        return cls(
            "the checkpoint {} lacks {} of the module's variables.".format(checkpoint, len(names)),
            why="Missing are {}; the checkpoint has {}.".format(_first(names), _first(known)),
            hint="build the variables in the module function under the names that they had when they were "
            "trained." + _closest(names[0], known),
            checkpoint=checkpoint,
            names=tuple(names),
        )

    @classmethod
    def no_session(cls) -> InputError:
        return cls(
            "there is no session that holds the variables of the module.",
            why="The values of a module that was loaded in a graph are in the session that initialized or trained it.",
            hint='save it inside of "with session.as_default():", or pass the session.',
        )

    @classmethod
    def session_of_other_graph(cls) -> InputError:
        return cls(
            "the session does not hold the variables of the module.",
            why="It runs another graph than the one that the module was loaded in.",
            hint="pass the session in which the module was initialized or trained.",
        )

    @classmethod
    def not_a_module(cls, obj: Any) -> InputError:
        return cls(
            "a {} cannot be written as a tf1-hub model.".format(type(obj).__name__),
            why="expected a function that builds a graph and calls unihub.add_signature, a hub.ModuleSpec, or a module "
            "that was loaded.",
            hint="wrap it into such a function; or write a TF2 SavedModel, which takes Keras models, tf.Module and "
            "functions of tensors.",
            kind=type(obj).__name__,
        )

    @classmethod
    def no_use_for(cls, argument: str, kind: str) -> InputError:
        return cls(
            "{} takes no {}.".format(kind, argument),
            why="It brings its own, or has none.",
            hint="leave the argument {} out.".format(argument),
            argument=argument,
        )

    @classmethod
    def not_savable(cls, obj: Any) -> InputError:
        return cls(
            "{} cannot be written as a tf2-saved-model.".format(_kind(obj)),
            why="There is nothing in it that could be called with tensors, and written.",
            hint="pass a Keras model or layer, a tf.Module with a tf.function, a function of tensors, or what "
            "unihub.load returned for a SavedModel.",
            given=type(obj).__name__,
        )

    @classmethod
    def needs_inputs(cls, obj: Any) -> InputError:
        return cls(
            "it is not known what a call of {} takes.".format(_kind(obj)),
            why="A SavedModel holds traces only, and nothing was traced here that tells the dtypes and shapes.",
            hint="pass inputs=tf.TensorSpec([None, 8], tf.float32), an array as an example, or a nest of these.",
            given=type(obj).__name__,
        )

    @classmethod
    def no_example(cls, value: Any) -> InputError:
        return cls(
            "inputs= has a {} where a spec or an example is needed.".format(type(value).__name__),
            why="A call takes tensors; lists and dicts in inputs= are the nest that they stand in.",
            hint="pass a tf.TensorSpec; or an example as a numpy array or a tensor.",
            given=value,
        )

    @classmethod
    def inputs_by_name(cls, names: Sequence[str]) -> InputError:
        return cls(
            "the function has {} arguments, and inputs= does not tell each.".format(len(names)),
            why="Its arguments are {}.".format(", ".join(names)),
            hint="pass a dict with exactly these names as inputs=.",
            expected=tuple(names),
        )

    @classmethod
    def only_for_modules(cls, argument: str) -> InputError:
        return cls(
            "{}= does not go with the format tf2-saved-model.".format(argument),
            why="It belongs to tf1-hub modules, which have graph variants and are written from checkpoints.",
            hint='leave it out; or pass format="tf1-hub".',
            argument=argument,
        )

    @classmethod
    def untracked(cls, detail: str) -> InputError:
        return cls(
            "the function uses a table or variable that nothing keeps.",
            why=" ".join(detail.split())[:300],
            hint="make it an attribute of a tf.Module whose __call__ is the function, and save that.",
        )

    @classmethod
    def needs_session(cls, variable: str) -> InputError:
        return cls(
            "there is no session to read the variable {!r} from.".format(variable),
            why="In a graph the values of variables are in a session.",
            hint='call unihub.save inside "with session.as_default():"; or pass session=.',
            variable=variable,
        )

    @classmethod
    def uninitialized(cls, variable: str) -> InputError:
        return cls(
            "the variable {!r} has no value in the session.".format(variable),
            why="It was neither initialized nor restored there, so there is nothing to write.",
            hint="run tf.compat.v1.global_variables_initializer() in that session, or restore a checkpoint, first.",
            variable=variable,
        )

    @classmethod
    def reference_variable(cls, variable: str) -> InputError:
        return cls(
            "the variable {!r} is of reference type.".format(variable),
            why="A TF2 SavedModel has resource variables only; TensorFlow 1 makes the other kind by default.",
            hint="call tf.compat.v1.enable_resource_variables() before the variables are made.",
            variable=variable,
        )

    @classmethod
    def variable_elsewhere(cls, variable: str) -> InputError:
        return cls(
            "the variable {!r} is not in the graph of the session.".format(variable),
            why="It was made in another tf.Graph, or eagerly, and the session has no value of it.",
            hint="save the model where its variables are: outside of every graph, or with the session of their graph.",
            variable=variable,
        )


class UnsupportedError(UnihubError, NotImplementedError):
    """The matrix says no."""

    @classmethod
    def refused(cls, cell: Any, path: str) -> UnsupportedError:
        import json

        return cls(
            "{} a {} model in the {} runtime is not supported ({}).".format(
                _doing(cell.operation), cell.format, cell.runtime, path
            ),
            why=cell.reason,
            # Between double quotes, as the rest of the hint is; what JSON escapes, Python reads.
            hint=cell.hint.format(path=json.dumps(path, ensure_ascii=False)),
            path=path,
            format=cell.format,
            operation=cell.operation,
            runtime=cell.runtime,
        )

    @classmethod
    def no_such_api(cls, cell: Any, api: Any, path: str) -> UnsupportedError:
        return cls(
            "{} a {} model in the {} runtime is not supported through api={!r} ({}).".format(
                _doing(cell.operation), cell.format, cell.runtime, str(api), path
            ),
            why="The matrix has for this cell: {}.".format(cell),
            hint="leave api= out, or pass {}.".format(
                " or ".join("api={!r}".format(str(choice.api)) for choice in cell.choices)
            ),
            path=path,
            format=cell.format,
            operation=cell.operation,
            runtime=cell.runtime,
            api=api,
        )

    @classmethod
    def module_inside_function(cls, path: str) -> UnsupportedError:
        return cls(
            "a tf1-hub module cannot be used while TensorFlow traces a function ({}).".format(path),
            why="hub.Module builds graph variables; inside a function they keep random values, without an error.",
            hint="load and call it in the graph itself, outside of tf.function and, in TensorFlow 2, of tf.cond and "
            "tf.while_loop; or load it in eager TensorFlow 2 for inference.",
            path=path,
        )

    @classmethod
    def module_in_strategy(cls, path: str, strategy: str) -> UnsupportedError:
        return cls(
            "a tf1-hub module cannot be loaded in the scope of a {} ({}).".format(strategy, path),
            why="hub.Module makes plain variables of the graph, so that each replica would have, and train, its own.",
            hint="unihub.convert({!r}, 'out') makes a TF2 SavedModel of it; load that in the scope.".format(path),
            path=path,
            strategy=strategy,
        )

    @classmethod
    def out_of_reach(cls, path: str, format: Any, strategy: str) -> UnsupportedError:
        return cls(
            "a {} model cannot be loaded in the scope of a {} ({}).".format(format, strategy, path),
            why="TensorFlow keeps the variables of a TF1 graph in the process that loads it, the coordinator, where no "
            "worker can read them.",
            hint="unihub.convert({!r}, 'out') makes a TF2 SavedModel of it; load that in the scope.".format(path),
            path=path,
            strategy=strategy,
        )

    @classmethod
    def saving_inside_function(cls) -> UnsupportedError:
        return cls(
            "a model cannot be written inside a tf.function.",
            why="The function would write it once, while it is traced, and the variables have no values there.",
            hint="call unihub.save outside of it.",
        )

    @classmethod
    def nothing_to_train(cls, path: str) -> UnsupportedError:
        return cls(
            "{} has no trainable variables, so trainable=True has nothing to train.".format(path),
            why="The model marks none of its variables as trainable; training would run and change nothing.",
            hint="load it with trainable=False; or ask its publisher for a version that can be fine-tuned.",
            path=path,
        )

    @classmethod
    def signature_is_not_trainable(cls, path: str, signature: str) -> UnsupportedError:
        return cls(
            "fine-tuning {} through its signature {!r} is not supported.".format(path, signature),
            why="A signature knows no training mode, no update ops and no regularization losses; only calling the "
            "model itself does.",
            hint="leave signature= out; or load with trainable=False.",
            path=path,
            signature=signature,
        )

    @classmethod
    def not_callable(cls, path: str, signatures: Sequence[Any]) -> UnsupportedError:
        return cls(
            "{} cannot be fine-tuned: its root object cannot be called.".format(path),
            why="It offers signatures only, and these know no training mode, update ops or losses:\n"
            + _table(signatures),
            hint="load with trainable=False; or train the attributes of unihub.load(...).native yourself.",
            path=path,
        )

    @classmethod
    def converted_already(cls, path: str) -> UnsupportedError:
        return cls(
            "{} is a TF2 SavedModel, and there is nothing to convert.".format(path),
            why="What is converted are TF1 Hub modules and TF1 SavedModels, which TF2 cannot fine-tune.",
            hint="load it as it is: unihub.load({}, trainable=True).".format(_quoted(path)),
            path=path,
        )

    @classmethod
    def converts_in_eager_only(cls, path: str, runtime: Any) -> UnsupportedError:
        return cls(
            "{} cannot be converted in the {} runtime.".format(path, runtime.mode),
            why="A TF2 SavedModel is written from TF2's functions and variables, outside of all graphs.",
            hint="call unihub.convert in a process of its own with TensorFlow 2, before anything switches v2 behavior "
            "off, and outside of tf.Graph and tf.function; then load what it wrote here.",
            path=path,
            runtime=runtime.mode,
        )

    @classmethod
    def cannot_be_converted(cls, path: str, reason: str) -> UnsupportedError:
        return cls(
            "{} cannot be converted to a TF2 SavedModel.".format(path),
            why=reason,
            hint="load it as it is, for inference; or fine-tune it after tf.compat.v1.disable_v2_behavior().",
            path=path,
            reason=reason,
        )


class ConversionError(UnihubError, RuntimeError):
    """The converted model is not equal to the original."""

    @classmethod
    def differs(cls, path: str, signature: str, output: str, difference: float) -> ConversionError:
        return cls(
            "the conversion of {} gives other numbers than the original.".format(path),
            why="For the same inputs the output {!r} of the signature {!r} differs by {:.3g}; 1e-5 is allowed.".format(
                output, signature, difference
            ),
            hint="nothing was written. unihub.convert(..., check=False) writes it all the same; please report the "
            "model, for this should not happen.",
            path=path,
            signature=signature,
            output=output,
            difference=difference,
        )

    @classmethod
    def does_not_run(cls, path: str, signature: str, exc: BaseException) -> ConversionError:
        return cls(
            "the conversion of {} does not run.".format(path),
            why="The original takes inputs for which the signature {!r} of the converted model raised {}: {}".format(
                signature, type(exc).__name__, _brief(exc)
            ),
            hint="nothing was written. unihub.convert(..., check=False) writes it all the same; please report the "
            "model, for this should not happen.",
            path=path,
            signature=signature,
        )


class RuntimeUnavailableError(UnihubError, ImportError):
    """A package is missing, or too old or too new."""

    @classmethod
    def no_tensorflow(cls, exc: BaseException) -> RuntimeUnavailableError:
        return cls(
            "TensorFlow cannot be imported.",
            why="{}: {}".format(type(exc).__name__, exc),
            hint="pip install 'unihub[tensorflow]'.",
            package="tensorflow",
        )

    @classmethod
    def no_tensorflow_hub(cls, exc: BaseException, version: Any) -> RuntimeUnavailableError:
        missing = isinstance(exc, ImportError) and version is None
        text = str(exc).splitlines()
        return cls(
            "tensorflow_hub {}.".format("is not installed" if missing else "cannot be imported"),
            why="{}: {}".format(type(exc).__name__, text[0] if text else ""),
            hint="pip install 'setuptools<82'; tensorflow_hub needs its pkg_resources."
            if "pkg_resources" in str(exc)
            else "pip install 'tensorflow-hub<0.16' beside TensorFlow 2.15 or older; beside a newer one, say 2.18,\n"
            "pip install --no-deps tensorflow-hub 'tf-keras==2.18.*', which leaves TensorFlow as it is.",
            package="tensorflow_hub",
            version=version,
        )

    @classmethod
    def no_kagglehub(cls, name: str, exc: BaseException, runs_here: bool) -> RuntimeUnavailableError:
        return cls(
            "kagglehub is needed to fetch {} from Kaggle.".format(name),
            why="{}: {}".format(type(exc).__name__, exc),
            hint="pip install 'unihub[kaggle]'."
            if runs_here
            else "kagglehub needs Python 3.10 or later: fetch the model there, and let KAGGLEHUB_CACHE name its cache.",
            package="kagglehub",
            url="kaggle:" + name,
            answer="kagglehub is not installed",
        )

    @classmethod
    def no_file_system(cls, url: str, scheme: str, exc: BaseException) -> RuntimeUnavailableError:
        return cls(
            "{}:// needs a package that is not installed ({}).".format(scheme, url),
            why="{}: {}".format(type(exc).__name__, exc),
            hint="pip install 'unihub[buckets]' for gs:// and s3://; for others, fsspec and what the line above names.",
            package="fsspec",
            url=url,
            scheme=scheme,
        )

    @classmethod
    def no_libcst(cls, exc: BaseException) -> RuntimeUnavailableError:
        return cls(
            "libcst cannot be imported.",
            why="{}: {}\nIt parses the programs that unihub migrate rewrites.".format(type(exc).__name__, exc),
            hint="pip install 'unihub[migrate]'.",
            package="libcst",
        )

    @classmethod
    def no_engine(cls, name: str, package: str, extra: str, exc: BaseException) -> RuntimeUnavailableError:
        return cls(
            "{} cannot be imported.".format(name),
            why="{}: {}".format(type(exc).__name__, exc),
            hint="pip install 'unihub[{}]', here and where the workers run.".format(extra),
            package=package,
        )

    @classmethod
    def no_hub_attribute(cls, attribute: str, version: Any) -> RuntimeUnavailableError:
        return cls(
            "hub.{} does not exist in tensorflow_hub {}.".format(attribute, version),
            why="This version of tensorflow_hub does not offer it.",
            hint="pip install 'unihub[tensorflow]' in an environment of its own, or a tensorflow-hub that fits your "
            "TensorFlow.",
            package="tensorflow_hub",
            version=version,
        )

    @classmethod
    def no_layer_for(cls, keras: Any, runtime: Any) -> RuntimeUnavailableError:
        return cls(
            "there is no {} layer in the {} runtime.".format(keras, runtime.mode),
            why="Keras 3 works in eager TensorFlow and in tf.function; it cannot train or predict in a plain graph.",
            hint="set TF_USE_LEGACY_KERAS=1 before TensorFlow is imported, or build the model with tf_keras and pass "
            'keras="keras2"; or use api="load".',
            keras=keras,
            runtime=runtime,
        )

    @classmethod
    def no_keras3(cls, version: Any, exc: Any = None) -> RuntimeUnavailableError:
        found = "it is not installed." if version is None else "the package keras is version {}.".format(version)
        return cls(
            "Keras 3 cannot be imported.",
            why="{}: {}".format(type(exc).__name__, _brief(exc)) if exc and version else found.capitalize(),
            hint='pip install \'keras>=3\' beside TensorFlow 2.16 or later; or pass keras="keras2", or api="load".',
            package="keras",
            version=version,
        )

    @classmethod
    def other_keras_backend(cls, backend: str) -> RuntimeUnavailableError:
        return cls(
            "a TensorFlow Hub model cannot be a layer of Keras 3 on {}.".format(backend),
            why="The model is a TensorFlow program, and Keras runs all layers of a model on one backend.",
            hint='set KERAS_BACKEND=tensorflow before Keras is imported; or use api="load", and pass arrays between '
            "the two.",
            package="keras",
            backend=backend,
        )

    @classmethod
    def no_load_options(cls, version: str) -> RuntimeUnavailableError:
        return cls(
            "load_options= needs TensorFlow 2.3 or later.",
            why="TensorFlow {} has no tf.saved_model.LoadOptions.".format(version),
            hint="leave load_options= out.",
            package="tensorflow",
            version=version,
        )


class MissingOpsError(UnihubError, RuntimeError):
    """TensorFlow lacks an op or a type that the model uses."""

    @classmethod
    def not_registered(cls, path: str, ops: Sequence[str], package: str, tensorflow: str) -> MissingOpsError:
        return cls(
            "{} uses ops that TensorFlow {} does not have: {}.".format(path, tensorflow, ", ".join(ops)),
            why="They come from {}, which is not imported here.".format(package)
            if package
            else "No package known to unihub registers them: they are custom ops, or newer or older than this "
            "TensorFlow.",
            hint="{}, and import it before loading.".format(_how_to_get(package, tensorflow))
            if package
            else "import the package that registers them, or call tf.load_op_library, before loading; or use the "
            "TensorFlow the model was written with.",
            path=path,
            ops=tuple(ops),
            package=package,
            tensorflow=tensorflow,
        )

    @classmethod
    def broken_package(
        cls, path: str, ops: Sequence[str], package: str, tensorflow: str, failure: BaseException
    ) -> MissingOpsError:
        """The package that brings the ops is there, and cannot be imported."""
        return cls(
            "{} uses ops that TensorFlow {} does not have: {}.".format(path, tensorflow, ", ".join(ops)),
            why="They come from {}, which is installed but cannot be imported: {}: {}".format(
                package, type(failure).__name__, _brief(failure)
            ),
            hint="{}: its libraries fit one release of TensorFlow only.".format(_how_to_get(package, tensorflow)),
            path=path,
            ops=tuple(ops),
            package=package,
            tensorflow=tensorflow,
        )

    @classmethod
    def no_library(cls, library: str) -> MissingOpsError:
        """A library of custom ops is not there."""
        return cls(
            "there is no library of custom ops at {}.".format(library),
            why="custom_op_libraries= names the files (.so, .dylib, .dll) that register a model's own ops.",
            hint="pass the path of the compiled library; relative paths begin in the working directory.",
            library=library,
        )

    @classmethod
    def broken_library(cls, library: str, tensorflow: str, failure: BaseException) -> MissingOpsError:
        """A library of custom ops cannot be loaded."""
        return cls(
            "the library of custom ops {} cannot be loaded.".format(library),
            why="{}: {}".format(type(failure).__name__, _brief(failure)),
            hint="compile it against TensorFlow {}, with the flags of tf.sysconfig.get_compile_flags() and "
            "get_link_flags(); a library fits one release of TensorFlow only.".format(tensorflow),
            library=library,
            tensorflow=tensorflow,
        )

    @classmethod
    def no_kernel(cls, path: str, op: str, tensorflow: str) -> MissingOpsError:
        return cls(
            "{} uses the op {}, for which TensorFlow {} has no kernel.".format(path, op, tensorflow),
            why="The op is known by name, but this TensorFlow cannot run it on any device here, or dropped it.",
            hint="load the model with the TensorFlow it was written with; or import the package that brings the "
            "kernel, before loading.",
            path=path,
            ops=(op,),
            package="",
            tensorflow=tensorflow,
        )

    @classmethod
    def type_spec_not_registered(
        cls, path: str, type_spec: str, package: str, distribution: str = ""
    ) -> MissingOpsError:
        return cls(
            "{} uses a type that is not registered here: {}.".format(path, type_spec),
            why="Its class lives in the package {}, and registers itself when that is imported.".format(package),
            hint="pip install {} and import {} before loading.".format(
                distribution or package.replace("_", "-"), package if distribution else "it"
            ),
            path=path,
            type_spec=type_spec,
            package=package,
        )

    @classmethod
    def newer_than_tensorflow(cls, path: str, written: str, tensorflow: str, detail: str) -> MissingOpsError:
        return cls(
            "{} was written by {}, and TensorFlow {} cannot read it.".format(
                path, "TensorFlow " + written if written else "a TensorFlow that it does not name", tensorflow
            ),
            why="{} An older TensorFlow is not promised to read what a newer one writes.".format(detail),
            hint="use {}; or have the model exported again with TensorFlow {}.".format(
                "TensorFlow {} or later".format(written) if written else "a newer TensorFlow", tensorflow
            ),
            path=path,
            written=written,
            tensorflow=tensorflow,
        )


class UnsafeModelError(UnihubError, PermissionError):
    """The model may do harm."""

    @classmethod
    def self_contained(cls, handle: str) -> UnsafeModelError:
        return cls(
            "the file holds a SavedModel (once {}), and Keras reads it in safe mode.".format(handle),
            why="A SavedModel is a program: who loads it runs what its author wrote, and may read and write files.",
            hint="if you trust the source of the file, load_model(..., safe_mode=False), or call "
            "keras.config.enable_unsafe_deserialization() first; a layer without self_contained=True needs neither.",
            handle=handle,
        )

    @classmethod
    def untrusted(cls, handle: str, ops: Sequence[Any]) -> UnsafeModelError:
        """It was fetched from the network, has such ops, and nobody said to trust it."""
        return cls(
            "{} was fetched from the network and may do more than compute.".format(handle),
            why="It has these ops:\n" + _listed(ops),
            hint="unihub.inspect({!r}).unsafe_ops lists all of them. If you trust who wrote it, load it with "
            "trust=True, or with trust={!r} for no other ops than these; or set UNIHUB_TRUST likewise.".format(
                handle, sorted({op.op for op in ops})
            ),
            handle=handle,
            unsafe_ops=tuple(ops),
        )

    @classmethod
    def refused(cls, handle: str, ops: Sequence[Any]) -> UnsafeModelError:
        """It has such ops, and trust=False forbids them."""
        return cls(
            "{} may do more than compute, and trust=False (or UNIHUB_TRUST=0) forbids that.".format(handle),
            why="It has these ops:\n" + _listed(ops),
            hint="leave trust out to load a model of your own with a warning; or name the ops you accept, as "
            "trust={!r}.".format(sorted({op.op for op in ops})),
            handle=handle,
            unsafe_ops=tuple(ops),
        )


class UnsafeModelWarning(UserWarning):
    """A model on this machine has ops that do more than compute; it is loaded all the same."""

    @classmethod
    def local(cls, path: str, ops: Sequence[Any]) -> UnsafeModelWarning:
        """The warning for a model of the user's own."""
        return cls(
            "{} may do more than compute; loading goes on, since it is on this machine:\n{}\n"
            "trust=True, or trust={!r}, loads it without this warning, trust=False refuses it.".format(
                path, _listed(ops), sorted({op.op for op in ops})
            )
        )


class LoadError(UnihubError, RuntimeError):
    """TensorFlow failed to load, run or write the model; what it raised is the ``__cause__``."""

    @classmethod
    def loading(cls, path: str, exc: BaseException) -> LoadError:
        return cls(
            "TensorFlow failed to load {}.".format(path),
            why="{}: {}".format(type(exc).__name__, _brief(exc)),
            hint="unihub.inspect({!r}) shows what the model holds; the exception above has TensorFlow's own "
            "words.".format(path),
            path=path,
        )

    @classmethod
    def calling(cls, path: str, exc: BaseException) -> LoadError:
        return cls(
            "TensorFlow failed while it ran {}.".format(path),
            why="{}: {}".format(type(exc).__name__, _brief(exc)),
            hint="compare the inputs with model.info; the exception above has TensorFlow's own words.",
            path=path,
        )

    @classmethod
    def saving(cls, path: str, exc: BaseException) -> LoadError:
        return cls(
            "the model could not be written to {}.".format(path),
            why="{}: {}".format(type(exc).__name__, _brief(exc)),
            hint="nothing was written; the exception above has the words of whoever raised it.",
            path=path,
        )

    @classmethod
    def unfed_placeholder(cls, path: str, placeholder: str) -> LoadError:
        return cls(
            "{} needs a value for {!r}, which is no input of the signature.".format(path, placeholder),
            why="The outputs depend on a placeholder that the signature does not list, so no call can feed it.",
            hint="have the model exported again with the placeholder as an input, or with a constant in its place.",
            path=path,
            placeholder=placeholder,
        )

    @classmethod
    def uninitialized_table(cls, path: str, exc: BaseException, eager: bool) -> LoadError:
        return cls(
            "{} uses a lookup table that is not initialized.".format(path),
            why="The model holds no initializer that could be run when it was loaded."
            if eager
            else "{}: {}".format(type(exc).__name__, _brief(exc)),
            hint="have the model exported again, with the table's initializer as its main op."
            if eager
            else "in graph runtimes call model.initialize(session) once, before the first run.",
            path=path,
        )


# What else a path may be, by the kinds that unihub._saved_model.formats tells apart: what it is, why it is not ours,
# what to call.
_OTHER_FORMATS = {
    "keras": (
        "a Keras model, not a SavedModel",
        "The .keras format holds a Keras configuration and weights; Keras rebuilds the model from its own classes.",
        "tf.keras.models.load_model({path}) loads it; model.export(directory), or tf.saved_model.save(model, "
        "directory) before Keras 3, makes a SavedModel of it.",
    ),
    "h5": (
        "an HDF5 file, not a SavedModel",
        "Keras keeps models and weights in this format, and rebuilds the model from its own classes.",
        "tf.keras.models.load_model({path}) loads a whole model; model.load_weights({path}) loads mere weights.",
    ),
    "tflite": (
        "a TensorFlow Lite model, not a SavedModel",
        "It was converted for small devices, and the conversion cannot be undone.",
        "tf.lite.Interpreter(model_path={path}) runs it.",
    ),
    "tfjs": (
        "a TensorFlow.js model, not a SavedModel",
        "It was converted for JavaScript.",
        "In JavaScript tf.loadGraphModel() or tf.loadLayersModel() loads it; of a layers model "
        "tensorflowjs.converters.load_keras_model({path}) makes a Keras model in Python.",
    ),
    "graph-def": (
        "a bare GraphDef (a frozen graph), not a SavedModel",
        "It has neither signatures nor variables, so nothing says which tensors go in and come out.",
        "tf.compat.v1.import_graph_def(tf.compat.v1.GraphDef.FromString(open({path}, 'rb').read())) brings it into a "
        "graph.",
    ),
    "checkpoint": (
        "a checkpoint, not a SavedModel",
        "It holds the values of variables, but no graph.",
        "Build the model by its own code, then tf.train.Checkpoint(model=model).restore(...), or "
        "tf.compat.v1.train.Saver().restore(session, ...) for TF1; tf.train.load_checkpoint({path}) shows the values.",
    ),
    "saved-model-file": (
        "one file of a SavedModel",
        "A model is the whole directory: the graph in saved_model.pb, and the variables and assets beside it.",
        "unihub.load({directory}), where the file has to be called saved_model.pb.",
    ),
    "archive": (
        "an archive, not a directory",
        "A model has to be unpacked to be looked into.",
        "unihub.load({path}) unpacks a .tar.gz, .tgz or .tar with a model in it; unihub.resolve({path}) says where to.",
    ),
    "html": (
        "a web page, not a model",
        "A server answered with a page for people, such as a login or an error, and the answer was saved.",
        'Delete it and give the handle itself, as in unihub.load("https://..."), or download it by hand.',
    ),
}

_OTHER_FRAMEWORK = (
    "a model for another framework, not a SavedModel",
    "TensorFlow loads what was written for TensorFlow.",
    "load it with that framework; or choose a variation for tensorFlow2 on the model's page.",
)

_OTHER_CACHE = "Let the environment variable UNIHUB_CACHE_DIR name a directory that can be written and has room."

_SHOWN = 8


def _first(names: Sequence[str]) -> str:
    """The first few of the names of files."""
    return ", ".join(names[:_SHOWN]) + (" and more" if len(names) > _SHOWN else "") or "nothing"


def _at(url: str, answer: str, hint: str, cause: str, **facts: Any) -> DownloadError:
    """What one place answered; it stands in a line of the error about all of them."""
    return DownloadError(
        "{} could not be fetched.".format(url),
        why="{}.".format(answer[:1].upper() + answer[1:]),
        hint=hint,
        url=url,
        answer=answer,
        cause=cause,
        **facts,
    )


def _answer(failure: UnihubError) -> str:
    """What a place answered, in a line."""
    return getattr(failure, "answer", failure.what.rstrip("."))


def _kind(obj: Any) -> str:
    """What an object is, in a sentence."""
    if isinstance(obj, type):
        return "the class {}".format(obj.__name__)
    name = type(obj).__name__
    return "{} {}".format("an" if name[:1] in "aeiouAEIOU" else "a", name)


def _quoted(path: str) -> str:
    """A path as it stands in a call."""
    return '"{}"'.format(path)


def _are(files: Sequence[str]) -> str:
    """``a is``, ``a and b are``, ``a, b, ... (9 files) are``."""
    if len(files) == 1:
        return "{} is".format(files[0])
    if len(files) <= 3:
        return "{} and {} are".format(", ".join(files[:-1]), files[-1])
    return "{}, ... ({} files) are".format(", ".join(files[:3]), len(files))


def _closest(word: str, words: Iterable[str]) -> str:
    """`` Did you mean 'x'?``, or nothing."""
    close = difflib.get_close_matches(word, list(words), n=1)
    return " Did you mean {!r}?".format(close[0]) if close else ""


def _table(rows: Sequence[Any]) -> str:
    """One line a row, as every error lists signatures, tag sets and tensors."""
    return "\n".join("  {}".format(row) for row in rows)


def _tags(tags: Iterable[str]) -> str:
    """``{'train'}``, or ``{}`` for the plain variant."""
    return "{{{}}}".format(", ".join(repr(tag) for tag in sorted(tags)))


def _how_to_get(package: str, tensorflow: str) -> str:
    """What installs a package for a TensorFlow, where the release is known."""
    from unihub._audit.op_packages import release_of

    release = release_of(package, tensorflow)
    if release != package:
        return "pip install '{}'".format(release)
    series = ".".join(tensorflow.split(".")[:2])
    return "install {} in the version that its page on PyPI names for TensorFlow {}".format(package, series)


_MANY_OPS = 8


def _listed(ops: Sequence[Any]) -> str:
    """The first of many ops, a line each."""
    lines = ["  {}".format(op) for op in ops[:_MANY_OPS]]
    more = len(ops) - len(lines)
    return "\n".join(lines + (["  and {} more".format(more)] if more > 0 else []))


def _doing(operation: str) -> str:
    return {"inference": "inference with", "fine-tune": "fine-tuning", "create": "creating"}[str(operation)]


def _brief(exc: BaseException) -> str:
    """The first line of an exception's text that says something, without TensorFlow's tracebacks."""
    lines = [line.strip() for line in str(exc).splitlines() if line.strip()]
    spoken = [line for line in lines if not line.startswith(("Graph execution error", "Detected at", "File ", "Node:"))]
    return (spoken or lines or ["no message"])[0][:400]
