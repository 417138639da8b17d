"""Finds what would make a reader's browser contact another host: `offline.py --self-test`, and
mkdocs' hooks for each built site. Links that a reader may follow are no such thing."""

import os
import re
import sys
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


META = """<meta http-equiv="Content-Security-Policy" content="default-src 'self'">"""
CASES = [
    (0, META + '<a href="https://example.com/">read on</a><img src="a.svg"><script src="/b.js"></script>'),
    (0, META + '<svg xmlns="http://www.w3.org/2000/svg"><use href="#x"/></svg>'),
    (1, '<p>without a policy</p>'),
    (1, META + '<script src="https://example.com/a.js"></script>'),
    (1, META + '<script src="//example.com/a.js"></script>'),
    (1, META + '<link rel="preconnect" href="https://example.com">'),
    (1, META + '<img srcset="https://example.com/a.png 2x">'),
    (1, META + '<p style="background: url(https://example.com/a.png)">'),
    (1, META + '<style>@import "https://example.com/a.css";</style>'),
    (1, META + '<pre class="mermaid">flowchart</pre>'),
]


def self_test():
    failed = 0
    for want, html in CASES:
        got = faults_of_page(html)
        if len(got) != want:
            failed += 1
            print(f"offline.py: {html}: want {want} faults, got {got}", file=sys.stderr)
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:] != ["--self-test"]:
        sys.exit("usage: offline.py --self-test")
    sys.exit(self_test())
