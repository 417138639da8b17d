"""Holds the messages of a page against the sources: what stands as code in the column "message" or
"reason" of its tables must be in a source, and each reason that the sources know must be in the page."""

import os
import re

SOURCES = [("reconcilers", ".cc"), ("controller", ".cc"), ("node", ".cc"), ("node", ".h"), ("dcu", ".cc"),
           ("crds", ".cc"), ("crds", ".h"), ("crds", ".yaml"), ("kclient", ".cc"), ("base", ".cc"),
           ("config", ".yaml"), ("charts/vdcu-operator/templates", ".yaml")]
# A literal, and what C++ joins with it: literals that follow, also after a "+".
LITERALS = re.compile(r'(?:R?"(?:[^"\\\n]|\\.)*"\s*(?:\+\s*)?)+')
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
REASONS = [re.compile(pattern) for pattern in (
    r'Refusal\{\s*"(\w+)"', r'\bsick\("(\w+)"', r'constexpr char k\w+\[\] = "([A-Z][a-z]+[A-Z][A-Za-z]+)"',
    r'return "(\w+Refused)"', r'Withdraw\([\w, ]*"(\w+)"', r'Unassign\([\w, ]*"(\w+)"',
    r'string_view k(?:DaemonSilent|NodeNotReady|AwaitingDaemon) = "(\w+)"')]
FINE = {"Ready",  # is said by the same type
        "AdmissionReview"}  # a kind


def plain(text):
    return re.sub(r"\s+", " ", text.replace("\\'", "'").replace('\\"', '"'))


def corpus(root):
    """All that the sources may print, and the reasons that they give."""
    texts, reasons = [], set()
    for folder, ending in SOURCES:
        for place, _, names in os.walk(os.path.join(root, folder)):
            for name in names:
                if not name.endswith(ending):
                    continue
                with open(os.path.join(place, name), encoding="utf-8") as file:
                    text = file.read()
                if ending == ".yaml":
                    texts.append(plain(text))
                    continue
                texts += [plain("".join(LITERAL.findall(run))) for run in LITERALS.findall(text)]
                for pattern in REASONS:
                    reasons.update(pattern.findall(text))
    return "\n".join(texts), reasons


def codes_of(markdown):
    """What stands as code in the columns "message" and "reason"."""
    found, columns = [], None
    for line in markdown.splitlines():
        if not line.startswith("|"):
            columns = None
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if columns is None:
            columns = [index for index, cell in enumerate(cells) if cell in ("message", "reason")]
            continue
        for index in columns:
            found += re.findall(r"`([^`]+)`", cells[index])
    return found


def faults(root, markdown):
    text, reasons = corpus(root)
    found = []
    for message in codes_of(markdown):
        for part in message.split("…"):
            if part.strip() and plain(part) not in text:
                found.append(f"no source prints {part!r}")
    found += [f"the reason {reason} is missing" for reason in sorted(reasons - FINE)
              if f"`{reason}`" not in markdown]
    return found
