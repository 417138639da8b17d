"""Finds what would make a reader's browser contact another host. Links that a reader may follow are
no such thing."""

import os
import re
from html.parser import HTMLParser

FOREIGN = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
STYLE = re.compile(r"""(?:url\(\s*['"]?|@import\s+['"])((?:https?:)?//[^'")]*)""", re.IGNORECASE)
POLICY = re.compile(r"default-src 'self'")
LOADING = {"src", "srcset", "data", "poster", "action", "background", "ping"}


class Page(HTMLParser):
    """Collects in `faults` what one page would load from elsewhere."""

    def __init__(self):
        super().__init__()
        self.faults = []
        self.has_policy = False
        self.in_style = False

    def handle_starttag(self, tag, attributes):
        of = {name: value or "" for name, value in attributes}
        self.in_style = tag == "style"
        if tag == "meta" and of.get("http-equiv", "").lower() == "content-security-policy":
            self.has_policy = POLICY.search(of.get("content", "")) is not None
        for name, value in of.items():
            loads = name in LOADING or (name in ("href", "xlink:href") and tag not in ("a", "area"))
            if loads and FOREIGN.match(value):
                self.faults.append(f'<{tag} {name}="{value}">')
        self.faults += STYLE.findall(of.get("style", ""))
        if "mermaid" in of.get("class", "").split():
            self.faults.append(f'<{tag} class="mermaid">, for which the theme loads a script')

    def handle_endtag(self, tag):
        self.in_style = False

    def handle_data(self, data):
        if self.in_style:
            self.faults += STYLE.findall(data)


def faults_of_page(html):
    page = Page()
    page.feed(html)
    page.close()
    return page.faults + ([] if page.has_policy else ["no Content-Security-Policy with default-src 'self'"])


def faults_of_site(folder):
    faults = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if not name.endswith((".html", ".css")):
                continue
            with open(path, encoding="utf-8") as file:
                text = file.read()
            found = faults_of_page(text) if name.endswith(".html") else STYLE.findall(text)
            faults += [f"{os.path.relpath(path, folder)}: {fault}" for fault in found]
    return faults
