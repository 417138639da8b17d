"""MkDocs calls this while it builds the site.

A line <!-- generated: values --> in a page becomes what generate.py makes of that name, so nothing
generated is committed, and nothing can be out of date. A page with <!-- messages --> shows what the
code prints, which messages.py checks. Documents of the repository outside docs/ are
pages, too, and other files that pages link to are copied, so that links which work on the forge work
here. Drawings become part of the page, where their colours follow the theme.
"""

import os
import re
import sys

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import generate
import messages
import offline

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
# Documents outside docs/ and the names of their pages.
DOCUMENTS = {
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "config/README.md": "manifests.md",
    "README.zh-CN.md": "zh.md",
}
# The page that says the same.
INSTEAD = {"README.md": "index.md"}
# Folder of the site for other files that are linked to.
COPIES = "files"

CODE = re.compile(r"(^[ \t]*```.*?^[ \t]*```[ \t]*$|`[^`\n]*`)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
GENERATED = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)
MESSAGES = "<!-- messages -->"
PICTURE = re.compile(r'<img alt="([^"]*)" src="([^"]*pictures/[^"]*\.svg)" ?/?>')
LONG_CODE = re.compile(r"(?<!</span>)(?<!<pre>)<code>([^<]{25,})</code>")
MAY_BREAK = re.compile(r"(?<=[./_,])(?=\w)|(?<=[a-z])(?=[A-Z])")
NEVER_SHOWN = re.compile(r"<\?xml.*?\?>|<style>.*?</style>|<title>.*?</title>", re.DOTALL)


def source_of(page_uri):
    """The path in the repository of the page's source."""
    for source, uri in DOCUMENTS.items():
        if uri == page_uri:
            return source
    return "docs/" + page_uri


def is_elsewhere(target):
    return re.match(r"[a-z]+:|/|#", target) is not None


def uri_of(path):
    """What the site has for a path of the repository; None for a folder."""
    if path.startswith("docs/"):
        return path[len("docs/"):]
    page = DOCUMENTS.get(path) or INSTEAD.get(path)
    if page:
        return page
    return None if os.path.isdir(os.path.join(ROOT, path)) else COPIES + "/" + path


def resolve(page_uri, target):
    """The path in the repository that a link of the page means, and its anchor."""
    path, _, anchor = target.partition("#")
    source = os.path.dirname(source_of(page_uri))
    return os.path.normpath(os.path.join(source, path)), anchor


def outside_code(text, change):
    return "".join(part if index % 2 else change(part)
                   for index, part in enumerate(CODE.split(text)))


def with_links_of_site(page_uri, text):
    """Links as the repository has them become links of the site; those to folders become text."""

    def change(match):
        mark, label, target = match.groups()
        if is_elsewhere(target):
            return match.group(0)
        path, anchor = resolve(page_uri, target)
        uri = uri_of(path)
        if uri is None:
            return label
        link = os.path.relpath(uri, os.path.dirname(page_uri) or ".")
        return f"{mark}[{label}]({link}{'#' + anchor if anchor else ''})"

    return outside_code(text, lambda part: LINK.sub(change, part))


def linked_files(page_uri, text):
    """Files outside docs/ that the page links to, by their paths in the repository."""
    found = set()

    def note(match):
        target = match.group(3)
        if not is_elsewhere(target):
            path, _ = resolve(page_uri, target)
            uri = uri_of(path)
            if uri is not None and uri.startswith(COPIES + "/"):
                found.add(path)
        return match.group(0)

    outside_code(text, lambda part: LINK.sub(note, part))
    return found


def on_files(files, config):
    for source, uri in DOCUMENTS.items():
        files.append(File.generated(config, uri, abs_src_path=os.path.join(ROOT, source)))
    linked = set()
    for file in files.documentation_pages():
        linked |= linked_files(file.src_uri, file.content_string)
    for path in sorted(linked):
        # What is not there stays a broken link, of which mkdocs says where it stands.
        if os.path.isfile(os.path.join(ROOT, path)):
            files.append(File.generated(config, COPIES + "/" + path,
                                        abs_src_path=os.path.join(ROOT, path)))
    return files


def on_page_markdown(markdown, page, config, files):
    def generated(match):
        try:
            return generate.PAGES[match.group(1)](ROOT)
        except (KeyError, ValueError, OSError) as error:
            raise PluginError(f"{page.file.src_uri}: {match.group(0)}: {error}") from error

    if "```mermaid" in markdown:
        raise PluginError(f"{page.file.src_uri}: Mermaid is loaded from another host: draw an SVG")
    if MESSAGES in markdown:
        faults = messages.faults(ROOT, markdown)
        if faults:
            raise PluginError(f"{page.file.src_uri}: " + "\n".join(faults))
    return GENERATED.sub(generated, with_links_of_site(page.file.src_uri, markdown))


def on_page_content(html, page, config, files):
    def inline(match):
        label, source = match.groups()
        folder = os.path.join(config.docs_dir, os.path.dirname(page.file.src_uri))
        with open(os.path.join(folder, source), encoding="utf-8") as file:
            drawing = NEVER_SHOWN.sub("", file.read()).strip()
        drawing = drawing.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
        return f'<div class="vdcu-picture">{drawing}</div>'

    def breakable(match):
        return "<code>" + MAY_BREAK.sub("<wbr>", match.group(1)) + "</code>"

    return LONG_CODE.sub(breakable, PICTURE.sub(inline, html))


def on_post_build(config):
    faults = offline.faults_of_site(config.site_dir)
    if faults:
        raise PluginError("the site contacts other hosts:\n" + "\n".join(faults))
