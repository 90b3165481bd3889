"""Errors about fetching a model, and about files that arrived incomplete or changed."""

from __future__ import annotations

from typing import Optional, Sequence

from unihub.errors._base import UnihubError
from unihub.errors._wording import brief, first_few, subject_and_verb


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
    def offline(cls, handle: str, path: str, command: str) -> DownloadError:
        """It would have to be fetched, and no connection may be opened."""
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
        return _at("kaggle:" + name, "{}: {}".format(type(error).__name__, brief(error)), hint, "client")

    @classmethod
    def through_fsspec(cls, url: str, error: BaseException) -> DownloadError:
        """A file system of fsspec failed."""
        hint = "See whether fsspec.open({!r}) works by itself; it may need credentials.".format(url)
        return _at(url, "{}: {}".format(type(error).__name__, brief(error)), hint, "client")

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
            "the model at {} is not whole: {} missing.".format(path, subject_and_verb(files)),
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
            "the model at {} is not whole: {} missing.".format(path, subject_and_verb(files)),
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
            why="Since it was fetched: {}.".format(first_few(problems)),
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
    def not_as_promised(cls, url: str, promised: str, received: str) -> IntegrityError:
        """A server sent something else than it says."""
        return cls(
            "what came from {} is not what the server says it sends.".format(url),
            why="Its MD5 digest is {}, and the server promised {}.".format(received, promised),
            hint="Try again; if it stays so, something between here and the server changes what is sent.",
            url=url,
            promised=promised,
            found=received,
        )


_OTHER_CACHE = "Let the environment variable UNIHUB_CACHE_DIR name a directory that can be written and has room."


def _at(url: str, answer: str, hint: str, cause: str, **facts: object) -> DownloadError:
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
