"""The words of an error, and the line below them that links to the page about its class."""

SITE = "https://unihub.readthedocs.io/en/latest/"


def link_of(kind):
    """The line that ends each message of a class of errors."""
    return "  Docs: {}errors/#{}".format(SITE, kind.__name__.lower())


def words_of(error):
    """The text of an error without that line, which has to be there."""
    *words, link = str(error).split("\n")
    assert link == link_of(type(error))
    return "\n".join(words)
