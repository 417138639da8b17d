"""The parts of pages that are made from their sources: values and schema of the chart, what --help
prints, the CRDs, and the metrics in the code. Whatever a source says and these functions do not
understand is an error (ValueError), so that nothing is left out unnoticed."""

import json
import os
import re
import subprocess

import yaml


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ").strip()


def table(columns, rows):
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def code(text):
    return f"`{text}`" if str(text) else ""


# The chart's values.

KEY = re.compile(r"^( *)([A-Za-z][A-Za-z0-9]*):(.*)$")


def comments_of(text):
    """The comment above each key of values.yaml, by the key's path."""
    comments, stack, above = {}, [], []
    for line in text.splitlines():
        if line.lstrip().startswith("# "):
            above.append(line.strip()[2:])
        elif match := KEY.match(line):
            depth = len(match.group(1)) // 2
            stack = stack[:depth] + [match.group(2)]
            comments[".".join(stack)] = " ".join(above)
            above = []
        elif not line.strip():
            above = []
    return comments


def one_line(value):
    return json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value or '""'


def allowed(schema):
    """What the schema lets a value be, in words."""
    if "enum" in schema:
        return ", ".join(code(value) for value in schema["enum"])
    kinds = schema.get("type", "any")
    words = " or ".join(kinds) if isinstance(kinds, list) else kinds
    if "items" in schema and kinds == "array":
        words = f"array of {allowed(schema['items'])}"
    if "pattern" in schema:
        words += f" like {code(schema['pattern'])}"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None or high is not None:
        words += f" from {low} to {high}" if high is not None else f", {low} at least"
    return words


class Schema:
    def __init__(self, schema):
        self.definitions = schema.get("definitions", {})
        self.root = schema

    def resolved(self, schema):
        while "$ref" in schema:
            schema = self.definitions[schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def at(self, path):
        schema = self.root
        for name in path.split("."):
            schema = self.resolved(schema).get("properties", {}).get(name)
            if schema is None:
                raise ValueError(f"values.schema.json does not know {path} of values.yaml")
        return self.resolved(schema)


def values(root):
    text = read(root, "charts/vdcu-operator/values.yaml")
    schema = Schema(json.loads(read(root, "charts/vdcu-operator/values.schema.json")))
    comments = comments_of(text)
    parents = {path.rsplit(".", 1)[0] for path in comments if "." in path}
    missing = set(schema.root["properties"]) - {path.split(".")[0] for path in comments}
    if missing:
        raise ValueError(f"values.yaml lacks {', '.join(sorted(missing))} of its schema")
    sections, general = [], []
    for path, comment in comments.items():
        if path in parents:
            if "." not in path:
                sections.append((path, comment, []))
            continue
        if not comment:
            raise ValueError(f"values.yaml has no comment on {path}")
        value = yaml.safe_load(text)
        for name in path.split("."):
            value = value[name]
        row = [code(path), allowed(schema.at(path)), code(one_line(value)), comment]
        top = path.split(".")[0]
        own = [rows for name, _, rows in sections if name == top]
        (own[0] if own else general).append(row)
    columns = ["value", "may be", "default", "effect"]
    parts = ["## General", table(columns, general)]
    for name, comment, rows in sections:
        parts += [f"## {name}", comment, table(columns, rows)]
    return "\n\n".join(parts)


# What --help prints.

FLAG = re.compile(r"^  (?:-\w,)?(--[a-z-]+)(?: ([^=\s]+))?(?:=(\S+))?((?: REQUIRED| \.\.\.)*)(?: \(Env:(\w+)\))?(?: Needs: .*)?\s*$")


def flags_of(text):
    rows = []
    for line in text.split("Options:", 1)[1].splitlines():
        inline = re.match(r"^(  \S.*?\S)\s{2,}(\S.*)$", line)
        head, words = inline.groups() if inline else (line, "")
        if match := FLAG.match(head):
            flag, kind, default, marks, variable = match.groups()
            if variable and variable != "VDCU" + flag[1:].replace("-", "_").upper():
                raise ValueError(f"{flag}: {variable} is not named as flags.md says")
            kind = "a switch" if kind is None else ", ".join(code(c) for c in kind.split("|"))
            if "REQUIRED" in marks:
                default = "required"
            elif default:
                default = code(default.strip("[]"))
            rows.append([f'<code class="name">{flag}</code>', kind, default or "", words])
        elif line.startswith("      ") and rows:
            rows[-1][3] = (rows[-1][3] + " " + line.strip()).strip()
        elif line.strip():
            raise ValueError(f"--help has a line that is not understood: {line}")
    return rows


def help_of(root, name):
    folder = os.environ.get("VDCU_BIN", os.path.join(root, "build", "bin"))
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        raise ValueError(f"{path} does not exist: make build, or set VDCU_BIN")
    return subprocess.run([path, "--help"], capture_output=True, check=True, text=True).stdout


def flags(root):
    parts = []
    for name in ("vdcu-controller", "vdcu-node"):
        rows = flags_of(help_of(root, name))
        parts += [f"## {name}", table(["flag", "value", "default", "effect"], rows)]
    return "\n\n".join(parts)


# The CRDs.


def type_of(schema):
    if schema.get("x-kubernetes-int-or-string"):
        words = "quantity"
    elif "enum" in schema:
        return "one of " + ", ".join(code(value) for value in schema["enum"])
    elif schema["type"] == "array":
        kind = "set" if schema.get("x-kubernetes-list-type") == "set" else "list"
        keys = schema.get("x-kubernetes-list-map-keys")
        kind = f"list, one for each {', '.join(keys)}" if keys else kind
        least, most = schema.get("minItems"), schema.get("maxItems")
        bounds = "" if most is None else f"{most} items" if least == most else f"at most {most} items"
        items = "" if schema["items"]["type"] == "object" else " of " + type_of(schema["items"])
        return kind + items + (", " + bounds if bounds else "")
    elif "additionalProperties" in schema:
        words = "map of strings"
    else:
        words = schema["type"]
    low, high = schema.get("minimum"), schema.get("maximum")
    if high is not None:
        words += f" from {low} to {high}"
    elif low is not None:
        words += f", {low} at least"
    shortest, longest = schema.get("minLength"), schema.get("maxLength")
    if longest is not None:
        words += f" of {shortest} to {longest} characters" if shortest else f" of at most {longest} characters"
    if "maxProperties" in schema:
        words += f", at most {schema['maxProperties']} keys"
    if "pattern" in schema:
        words += f" like {code(schema['pattern'])}"
    if schema.get("format") == "date-time":
        words = "time"
    return words


class Fields:
    """The rows of one kind: its fields, and the messages of its rules."""

    def __init__(self, schema):
        self.fields, self.rules = [], []
        for part in ("spec", "status"):
            self.add(part, schema["properties"][part], part in schema.get("required", []))

    def add(self, path, schema, required):
        words = schema.get("description")
        if not words:
            raise ValueError(f"{path} has no description")
        self.fields.append([code(path), type_of(schema) + (", required" if required else ""), words])
        for rule in schema.get("x-kubernetes-validations", []):
            self.rules.append([code(path + rule.get("fieldPath", "")), rule["message"]])
        inner = schema.get("items", schema)
        mark = "[]" if "items" in schema else ""
        for name, child in inner.get("properties", {}).items():
            self.add(f"{path}{mark}.{name}", child, name in inner.get("required", []))


def columns_of(version):
    rows = []
    for column in version["additionalPrinterColumns"]:
        wide = "with `-o wide`" if column.get("priority", 0) else ""
        words = column.get("description", "Since when the object is there.")
        rows.append([column["name"].upper(), words, wide])
    return rows


def api(root):
    parts = []
    for path in ("crds/vdcupartition.yaml", "crds/dcunode.yaml"):
        crd = yaml.safe_load(read(root, path))["spec"]
        names, version = crd["names"], crd["versions"][0]
        schema = version["schema"]["openAPIV3Schema"]
        fields = Fields(schema)
        short = ", ".join(code(name) for name in names.get("shortNames", []))
        parts += [
            f"## {names['kind']}",
            schema["description"],
            f"{crd['scope']}, `{crd['group']}/{version['name']}`, {code(names['plural'])}"
            + (f", short {short}." if short else "."),
            f"### Fields of {names['kind']}",
            table(["field", "type", "meaning"], fields.fields),
        ]
        if fields.rules:
            parts += [f"### Rules of {names['kind']}", "What breaks one is refused with this message.",
                      table(["field", "message"], fields.rules)]
        parts += [f"### Columns of {names['kind']}",
                  table(["column", "shows", ""], columns_of(version))]
    return "\n\n".join(parts)


# The metrics in the code.

MADE = re.compile(
    r"(?:(\w+_)\()?\s*(?:prometheus::)?(BuildCounter|BuildGauge|BuildHistogram|MakeCounter|MakeGauge"
    r'|Counters|Gauges)\((?:\)\s*\.Name\(|\*registry_,\s*)"(\w+)"(?:\)\s*\.Help\(|,\s*)((?:\s*"[^"]*")+)')
OF_PROCESS = re.compile(r'Family\("(\w+)",\s*((?:\s*"[^"]*")+),\s*MetricType::(\w+)')
NAMED = re.compile(r'"((?:vdcu|process)_\w+)"')
LABEL = re.compile(r'\{"(\w+)",')


def joined(literals):
    return "".join(re.findall(r'"([^"]*)"', literals))


def labels_of(text, member):
    labels = []
    for match in re.finditer(rf"\b{member}\s*\.Add\(", text):
        end, depth = match.end(), 1
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        labels += LABEL.findall(text[match.end():end])
    return ", ".join(code(label) for label in dict.fromkeys(labels))


def metrics_of(root, path):
    text, rows = read(root, path), []
    for member, maker, name, words in MADE.findall(text):
        kind = re.sub(r"Build|Make|s$", "", maker).lower()
        rows.append([code(name), kind, labels_of(text, member) if member else "", joined(words)])
    for name, words, kind in OF_PROCESS.findall(text):
        rows.append([code(name), kind.lower(), "", joined(words)])
    lost = set(NAMED.findall(text)) - {row[0].strip("`") for row in rows}
    if lost or not rows:
        raise ValueError(f"{path}: not understood: {', '.join(sorted(lost)) or 'all of it'}")
    return rows


def metrics(root):
    parts = []
    for title, path in (("vdcu-controller", "controller/metrics.cc"), ("vdcu-node", "node/metrics.cc"),
                        ("Cards and slices, of vdcu-node", "node/card_metrics.cc"),
                        ("By other projects' names, of vdcu-node with --metric-names", "node/familiar_metrics.cc"),
                        ("Both processes, of their API server", "kclient/api_metrics.cc"),
                        ("Both processes", "base/program/process_metrics.cc")):
        rows = metrics_of(root, path)
        parts += [f"## {title}", table(["metric", "type", "labels", "meaning"], rows)]
    return "\n\n".join(parts)


PAGES = {"values": values, "flags": flags, "api": api, "metrics": metrics}
