"""Errors about fetching a model, and about files that arrived incomplete or changed."""

from __future__ import annotations

from typing import Optional, Sequence

from unihub.errors._base import UnihubError
from unihub.errors._wording import brief, first_few, subject_and_verb


class DownloadError(UnihubError, OSError):
    """The model could not be fetched."""

    @classmethod
    def nowhere(cls, handle: str, failures: Sequence[UnihubError], kaggle: str, command: str) -> DownloadError:
        """No source had the model.

        Args:
            handle: The handle.
            failures: The error of each source.
            kaggle: The name of the model on Kaggle, if it has one.
            command: The command that fetches the model in advance.
        """
        answers = ["{}: {}".format(getattr(failure, "url", ""), _answer(failure)) for failure in failures]
        hints = [failure.hint for failure in failures]
        beforehand = "Where the network allows it, this fetches it beforehand: {}".format(command)
        if kaggle:
            beforehand += "\nOn Kaggle its name is {0}: kagglehub.model_download({0!r}).".format(kaggle)
        return cls(
            "{} could not be fetched.".format(handle),
            why="\n".join(answers) or "No known source may have it.",
            hint="\n".join([*dict.fromkeys(hints), beforehand]),
            handle=handle,
            answers=tuple(answers),
            causes=tuple(getattr(failure, "cause", "") for failure in failures),
            status=next((failure.status for failure in reversed(failures) if hasattr(failure, "status")), None),
            kaggle=kaggle,
            command=command,
        )

    @classmethod
    def offline(cls, handle: str, path: str, command: str) -> DownloadError:
        """The model would have to be fetched, but unihub is offline."""
        return cls(
            "{} is not on this machine.".format(handle),
            why="It is not at {}, and no connection is opened: UNIHUB_OFFLINE is set, or offline=True.".format(path),
            hint="Where there is a connection, with the same UNIHUB_CACHE_DIR: {}".format(command),
            handle=handle,
            path=path,
            command=command,
        )

    @classmethod
    def answered(cls, url: str, status: int, answer: str, retry_after: Optional[float] = None) -> DownloadError:
        """A server answered with an error."""
        if status in (401, 403):
            hint = "The model may be private, or require a login or consent: see its page in a browser."
        elif status in (404, 410):
            hint = "Check the address, and whether that version of the model still exists."
        elif retry_after:
            hint = "The server asks clients to retry after {:.0f} s.".format(retry_after)
        else:
            hint = "The server has a problem; try again later."
        return _at(url, answer, hint, "http", status=status)

    @classmethod
    def proxy(cls, url: str, reason: str) -> DownloadError:
        """The proxy failed."""
        hint = "Check https_proxy, http_proxy and no_proxy: the proxy they name did not let the request through."
        return _at(url, "the proxy failed ({})".format(reason), hint, "proxy")

    @classmethod
    def certificate(cls, url: str, reason: str) -> DownloadError:
        """The server's certificate is not trusted."""
        hint = (
            "If your network inserts its own certificate, set REQUESTS_CA_BUNDLE to the file that holds it; "
            "and check the clock of this machine."
        )
        return _at(url, "its certificate is not trusted ({})".format(reason), hint, "certificate")

    @classmethod
    def no_such_host(cls, url: str, host: str, reason: str) -> DownloadError:
        """The name of the server cannot be resolved."""
        hint = "Check the name {}, and the DNS of this machine; behind a proxy, set https_proxy.".format(host)
        return _at(url, "the name of the server cannot be resolved ({})".format(reason), hint, "dns", host=host)

    @classmethod
    def redirects(cls, url: str, most: int) -> DownloadError:
        """A server redirects too often."""
        hint = "The server is misconfigured, or requires a cookie: open the address in a browser."
        return _at(url, "more than {} redirects".format(most), hint, "redirects")

    @classmethod
    def timed_out(cls, url: str, seconds: int, variable: str) -> DownloadError:
        """A server does not answer, or sends almost nothing."""
        hint = "Try again, which resumes the download; or set {} to more seconds.".format(variable)
        return _at(url, "almost no data arrived for {} s".format(seconds), hint, "timeout")

    @classmethod
    def no_connection(cls, url: str, reason: str) -> DownloadError:
        """The connection failed, or broke repeatedly."""
        hint = (
            "Check the network, and whether a proxy is needed (https_proxy). The partial download is kept for 24 hours."
        )
        return _at(url, "the connection failed ({})".format(reason), hint, "connection")

    @classmethod
    def web_page(cls, url: str) -> DownloadError:
        """A server answered with a web page."""
        hint = "Open the address in a browser: it may require a login, or have no archive of the model."
        return _at(url, "a web page, not an archive", hint, "page")

    @classmethod
    def through_kagglehub(cls, name: str, error: BaseException) -> DownloadError:
        """Kaggle's own client failed."""
        hint = "Check whether kagglehub.model_download({!r}) works on its own.".format(name)
        return _at("kaggle:" + name, "{}: {}".format(type(error).__name__, brief(error)), hint, "client")

    @classmethod
    def through_fsspec(cls, url: str, error: BaseException) -> DownloadError:
        """A file system of fsspec failed."""
        hint = "Check whether fsspec.open({!r}) works on its own; it may need credentials.".format(url)
        return _at(url, "{}: {}".format(type(error).__name__, brief(error)), hint, "client")

    @classmethod
    def no_space(cls, url: str, cache: str, needed: int, free: int) -> DownloadError:
        """There is not enough disk space."""
        answer = "it needs {:,} bytes in the cache at {}, where {:,} are free".format(needed, cache, free)
        return _at(url, answer, _OTHER_CACHE, "disk", cache=cache, needed=needed, free=free)

    @classmethod
    def cannot_write(cls, url: str, cache: str, reason: str) -> DownloadError:
        """The cache cannot be written."""
        answer = "it could not be written to the cache at {} ({})".format(cache, reason)
        return _at(url, answer, _OTHER_CACHE, "disk", cache=cache, reason=reason)

    @classmethod
    def cannot_unpack(cls, path: str, cache: str, reason: str) -> DownloadError:
        """An archive cannot be read, or the cache cannot be written."""
        return cls(
            "{} could not be unpacked into the cache at {}.".format(path, cache),
            why=reason,
            hint="Set UNIHUB_CACHE_DIR to a writable directory with enough space; or unpack the archive yourself and "
            "pass the directory.",
            path=path,
            cache=cache,
            reason=reason,
        )


class IntegrityError(UnihubError, OSError):
    """The model is incomplete, damaged or changed."""

    @classmethod
    def missing_graph(cls, path: str) -> IntegrityError:
        """The directory holds parts of a SavedModel, but not its graph."""
        return cls(
            "the model at {} is incomplete: saved_model.pb is missing.".format(path),
            why="The other files of a SavedModel are there, but not the one with its graphs and signatures.",
            hint="Fetch or export the model again; an interrupted download or copy leaves this behind.",
            path=path,
            files=("saved_model.pb",),
        )

    @classmethod
    def missing_variables(cls, path: str, files: Sequence[str]) -> IntegrityError:
        """The graph has variables, but files with their values are missing."""
        return cls(
            "the model at {} is incomplete: {} missing.".format(path, subject_and_verb(files)),
            why="TensorFlow restores the model's variables from there when it loads it.",
            hint="Fetch or export the model again. A repository may omit files because of size limits or its "
            ".gitignore; then ask its owner for them.",
            path=path,
            files=tuple(files),
        )

    @classmethod
    def missing_assets(cls, path: str, files: Sequence[str]) -> IntegrityError:
        """The graph reads files that are missing."""
        return cls(
            "the model at {} is incomplete: {} missing.".format(path, subject_and_verb(files)),
            why="The model reads its vocabularies and other assets from there.",
            hint="Fetch or export the model again, and copy its assets directory with it.",
            path=path,
            files=tuple(files),
        )

    @classmethod
    def missing_in_keras_file(cls, handle: str) -> IntegrityError:
        """A Keras file should contain a SavedModel, but does not."""
        return cls(
            "the .keras file should contain the SavedModel of {}, which is missing.".format(handle),
            why="A layer that was loaded with self_contained=True keeps the model among the assets of the .keras file.",
            hint="Load the .keras file as it was saved; load weights alone into a model that your code builds.",
            handle=handle,
        )

    @classmethod
    def git_lfs_pointer(cls, file: str, size: int) -> IntegrityError:
        """A file is only a git-lfs pointer."""
        return cls(
            "{} is a git-lfs pointer, not the file itself.".format(file),
            why="The repository stores large files separately, and the pointer only refers to one"
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
            "{} is truncated.".format(file),
            why="It has {:,} bytes, and the variables in it need {:,}.".format(size, needed),
            hint="Fetch or export the model again; the download or copy was interrupted.",
            file=file,
            size=size,
            needed=needed,
        )

    @classmethod
    def damaged(cls, file: str, reason: str, truncated: bool) -> IntegrityError:
        """A file cannot be parsed.

        Args:
            file: The file.
            reason: Where and why reading it failed.
            truncated: Whether the file is valid up to its end.
        """
        return cls(
            "{} is {}.".format(file, "truncated" if truncated else "damaged"),
            why="Reading it failed: {}.".format(reason),
            hint="Fetch or export the model again" + ("; the download or copy was interrupted." if truncated else "."),
            file=file,
            reason=reason,
            truncated=truncated,
        )

    @classmethod
    def changed(cls, file: str) -> IntegrityError:
        """A file was replaced after it was read.

        Args:
            file: The file.
        """
        return cls(
            "{} has changed since the model was inspected.".format(file),
            why="What was read then belongs to another file, whose remainder can no longer be read.",
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
        """An archive is truncated, damaged, or not an archive."""
        return cls(
            "the archive {} is damaged.".format(path),
            why="Reading it failed: {}.".format(reason),
            hint="Download or copy it again, and check what it is: a web page or a git-lfs pointer saved under the "
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
        """An archive unpacks to more bytes than allowed."""
        return cls(
            "the archive {} was refused: unpacked, it has more than {} bytes.".format(path, limit),
            why="A small archive can be made to unpack to any size and fill the disk.",
            hint="If you trust it, set the environment variable {} to more bytes.".format(variable),
            path=path,
            limit=limit,
        )

    @classmethod
    def archive_inflates(cls, path: str, ratio: int, variable: str) -> IntegrityError:
        """An archive unpacks to many times its size."""
        return cls(
            "the archive {} was refused: unpacked, it has more than {} times its size.".format(path, ratio),
            why="A small archive can be made to unpack to any size and fill the disk.",
            hint="If you trust it, set the environment variable {} to more.".format(variable),
            path=path,
            ratio=ratio,
        )

    @classmethod
    def damaged_entry(cls, path: str, problems: Sequence[str]) -> IntegrityError:
        """Files of a model in the cache were removed, cut short or changed."""
        return cls(
            "the copy in the cache at {} is damaged.".format(path),
            why="Since it was fetched: {}.".format(first_few(problems)),
            hint="With a network connection it is fetched again automatically; unihub cache prune removes it.",
            path=path,
            problems=tuple(problems),
        )

    @classmethod
    def not_the_pinned(cls, handle: str, pin: str, digests: Sequence[str]) -> IntegrityError:
        """The content does not match the digest in the handle."""
        return cls(
            "{} does not match the pinned digest.".format(handle),
            why="Its SHA-256 digest is {}.".format(" (content), ".join(digests) + " (archive)" * (len(digests) > 1)),
            hint="The model was replaced, or the pin belongs to another version. The download was discarded.",
            handle=handle,
            pin=pin,
            digests=tuple(digests),
        )

    @classmethod
    def not_as_promised(cls, url: str, promised: str, received: str) -> IntegrityError:
        """A download does not match the digest that the server states."""
        return cls(
            "the download from {} does not match the digest that the server states.".format(url),
            why="Its MD5 digest is {}, and the server states {}.".format(received, promised),
            hint="Try again; if it persists, something between this machine and the server changes the data.",
            url=url,
            promised=promised,
            found=received,
        )


_OTHER_CACHE = "Set UNIHUB_CACHE_DIR to a writable directory with enough space."


def _at(url: str, answer: str, hint: str, cause: str, **facts: object) -> DownloadError:
    """The error of one source, which becomes one line of the error about all sources."""
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
    """The answer of a source, in one line."""
    return getattr(failure, "answer", failure.what.rstrip("."))
