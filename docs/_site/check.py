"""Looks at the built site as a reader does: python docs/_site/check.py SITE SCREENSHOTS.

Every link and anchor inside of it has to lead somewhere, and every address outside has to be well formed (whether it
answers is not asked: that is another's matter, and may change by the hour). Then each page is opened in a headless
Chromium that reaches no other machine, on a desktop and on a phone: a page that logs an error, asks for what is not
there, or is wider than the screen fails.
"""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import sys
import threading
import urllib.parse
from html.parser import HTMLParser

from playwright.sync_api import sync_playwright

SITE = "https://unihub.readthedocs.io/en/latest/"  # site_url of mkdocs.yml
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 400, "height": 800}}
SHOWN = ("", "matrix/", "errors/", "api/", "how-it-works/", "keras/", "promises/")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Page(HTMLParser):
    """What a page links to, and what of it can be linked to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Notes addresses and anchors."""
        attributes = dict(attrs)
        self.anchors.update(attributes[key] for key in ("id", "name") if attributes.get(key))
        self.links += [attributes[key] for key in ("href", "src") if attributes.get(key)]


def read_pages(site):
    """The pages of a site by their paths, ``""`` for the first."""
    pages = {}
    for directory, _, files in os.walk(site):
        for name in files:
            if name.endswith(".html"):
                path = os.path.relpath(os.path.join(directory, name), site).replace(os.sep, "/")
                with open(os.path.join(directory, name), encoding="utf-8") as file:
                    pages[path[: -len("index.html")] if path.endswith("index.html") else path] = Page(file.read())
    return pages


def check_links(site, address, pages):
    """The links that lead nowhere, a line each."""
    wrong = []
    for path, page in pages.items():
        for link in page.links:
            target = urllib.parse.urlsplit(urllib.parse.urljoin(address + path, link.replace(SITE, address)))
            if not target.geturl().startswith(address):
                if target.scheme != "https" or "." not in target.netloc or " " in link:
                    wrong.append("{}: {} is no address".format(path, link))
                continue
            found = urllib.parse.unquote(target.geturl()[len(address) :].partition("#")[0].partition("?")[0])
            anchor = urllib.parse.unquote(target.fragment)
            if found not in pages and not os.path.isfile(os.path.join(site, found)):
                wrong.append("{}: nothing is at {}".format(path, link))
            elif anchor and found in pages and anchor not in pages[found].anchors:
                wrong.append("{}: there is no anchor {}".format(path, link))
    return wrong


class Server(http.server.SimpleHTTPRequestHandler):
    """Serves the site below the path that it has on the web, without a word."""

    def translate_path(self, path):
        """The file of an address."""
        return super().translate_path(path.replace(urllib.parse.urlsplit(SITE).path, "/", 1))

    def log_message(self, *_):
        """Says nothing."""


def serve(site):
    """The address at which the site is served while the process runs."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://127.0.0.1:{}{}".format(server.server_port, urllib.parse.urlsplit(SITE).path)


def look_at(browser, address, paths, screenshots):
    """Opens pages in windows of each size; gives what is wrong with them, a line each."""
    wrong = []
    page = browser.new_page()

    def note(text):
        wrong.append("{}: {}".format(page.url, text))

    page.on("console", lambda message: note(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: note(str(error)))
    page.on("requestfailed", lambda request: note("{} was not loaded".format(request.url)))
    page.on("response", lambda reply: note("{} {}".format(reply.status, reply.url)) if reply.status >= 400 else None)
    for path in paths:
        page.set_viewport_size(SIZES["desktop"])
        page.goto(address + path)
        for size, viewport in SIZES.items():
            page.set_viewport_size(viewport)
            page.wait_for_timeout(300)  # what is loaded by scripts is there, and what moves has come to rest
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > viewport["width"]:
                note("it is {} wide on a {}".format(width, size))
            if path in SHOWN:
                name = "{}-{}.png".format(path.strip("/") or "home", size)
                page.screenshot(path=os.path.join(screenshots, name))
    page.close()
    return wrong


def search_for(browser, address, word):
    """What the search of the site does not find, a line each."""
    page = browser.new_page(viewport=SIZES["desktop"])
    page.goto(address, wait_until="networkidle")
    page.click("input.md-search__input")
    page.keyboard.type(word)
    try:
        page.wait_for_selector(".md-search-result__item", timeout=10000)
    except Exception as error:
        return ["the search finds nothing for {}: {}".format(word, error)]
    finally:
        page.close()
    return []


def main(site, screenshots):
    """Checks all; gives what ``sys.exit`` takes."""
    os.makedirs(screenshots, exist_ok=True)
    pages = read_pages(site)
    if not pages:
        return "there are no pages in {}".format(site)
    address = serve(site)
    wrong = check_links(site, address, pages)
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        return "there is no Chromium: apt-get install --no-install-recommends chromium"
    with sync_playwright() as playwright:
        # No page may need another machine: names of others are not known.
        options = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=executable, args=options)
        wrong += look_at(browser, address, sorted(pages), screenshots)
        wrong += search_for(browser, address, "SignatureError")
        browser.close()
    print(
        "{} pages, {} links; screenshots are in {}".format(
            len(pages), sum(len(page.links) for page in pages.values()), screenshots
        )
    )
    return "\n".join(wrong) or 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
