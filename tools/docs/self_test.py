"""Tests of what makes the site: tools/docs/build --self-test."""

import os
import tempfile
import unittest

import generate
import hooks
import messages
import offline

POLICY = """<meta http-equiv="Content-Security-Policy" content="default-src 'self'">"""


class OfflineTest(unittest.TestCase):
    def test_what_would_contact_another_host(self):
        cases = [
            (0, '<a href="https://example.com/">read on</a><img src="a.svg"><script src="/b.js"></script>'),
            (0, '<svg xmlns="http://www.w3.org/2000/svg"><use href="#x"/></svg>'),
            (1, '<script src="https://example.com/a.js"></script>'),
            (1, '<script src="//example.com/a.js"></script>'),
            (1, '<link rel="preconnect" href="https://example.com">'),
            (1, '<img srcset="https://example.com/a.png 2x">'),
            (1, '<p style="background: url(https://example.com/a.png)">'),
            (1, '<style>@import "https://example.com/a.css";</style>'),
            (1, '<pre class="mermaid">flowchart</pre>'),
        ]
        for want_faults, html in cases:
            with self.subTest(html):
                self.assertEqual(len(offline.faults_of_page(POLICY + html)), want_faults)

    def test_a_page_without_a_policy(self):
        self.assertEqual(len(offline.faults_of_page("<p>text</p>")), 1)


class LinksTest(unittest.TestCase):
    def test_links_of_the_repository_become_links_of_the_site(self):
        cases = [
            ("install.md", "[a](using.md#x)", "[a](using.md#x)"),
            ("install.md", "[a](../SECURITY.md#x)", "[a](security.md#x)"),
            ("install.md", "[a](../README.md)", "[a](index.md)"),
            ("install.md", "[a](../Containerfile)", "[a](files/Containerfile)"),
            ("install.md", "[the folder](../crds/)", "the folder"),
            ("security.md", "[a](docs/decisions/0001-x.md)", "[a](decisions/0001-x.md)"),
            ("decisions/0001-x.md", "![a](../pictures/x.svg)", "![a](../pictures/x.svg)"),
            ("manifests.md", "[a](../docs/using.md)", "[a](using.md)"),
            ("install.md", "[a](https://example.com/x.md) [b](#here)", "[a](https://example.com/x.md) [b](#here)"),
            ("install.md", "`[a](../README.md)`", "`[a](../README.md)`"),
            ("install.md", "```\n[a](../README.md)\n```", "```\n[a](../README.md)\n```"),
        ]
        for page, text, want in cases:
            with self.subTest(page + ": " + text):
                self.assertEqual(hooks.with_links_of_site(page, text), want)


class GenerateTest(unittest.TestCase):
    def test_comments_of_values(self):
        text = "# Of the file.\n\n# Of a,\n# and more.\na: 1\n\nb:\n  # Of c.\n  c: {d: 1}\n"
        self.assertEqual(generate.comments_of(text), {"a": "Of a, and more.", "b": "", "b.c": "Of c."})

    def test_flags_of_help(self):
        text = ("Options:\n  -h,--help                   Print this\n"
                "  --node-name TEXT REQUIRED (Env:VDCU_NODE_NAME)\n      Name of the\n      Node\n"
                "  --policy A|B=A (Env:VDCU_POLICY)\n      Which\n")
        name = '<code class="name">{}</code>'.format
        self.assertEqual(generate.flags_of(text), [
            [name("--help"), "a switch", "", "Print this"],
            [name("--node-name"), "`TEXT`", "required", "Name of the Node"],
            [name("--policy"), "`A`, `B`", "`A`", "Which"],
        ])

    def test_help_that_is_not_understood(self):
        for text in ("Options:\n  --x TEXT (Env:OTHER_X)\n      X\n", "Options:\n  something\n"):
            with self.subTest(text), self.assertRaises(ValueError):
                generate.flags_of(text)

    def test_types_of_fields(self):
        cases = [
            ({"type": "integer", "minimum": 1, "maximum": 128}, "integer from 1 to 128"),
            ({"type": "string", "minLength": 1, "maxLength": 64}, "string of 1 to 64 characters"),
            ({"type": "string", "enum": ["a", "b"]}, "one of `a`, `b`"),
            ({"type": "array", "maxItems": 4, "x-kubernetes-list-type": "set", "items": {"type": "string"}},
             "set of string, at most 4 items"),
            ({"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "object"}}, "list, 2 items"),
            ({"x-kubernetes-int-or-string": True, "maxLength": 20}, "quantity of at most 20 characters"),
        ]
        for schema, want in cases:
            with self.subTest(want):
                self.assertEqual(generate.type_of(schema), want)

    def test_metrics_of_code(self):
        code = ('writes_(prometheus::BuildCounter()\n .Name("vdcu_writes_total")\n .Help("Writes, "\n'
                ' "by verb")\n .Register(r)),\nheld_(Gauges(*registry_, "vdcu_held", "Held").Add({}))\n'
                'writes_\n .Add({{"verb", std::string(verb)}}).Increment();\n')
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "metrics.cc")
            with open(path, "w", encoding="utf-8") as file:
                file.write(code)
            self.assertEqual(generate.metrics_of(folder, "metrics.cc"), [
                ["`vdcu_writes_total`", "counter", "`verb`", "Writes, by verb"],
                ["`vdcu_held`", "gauge", "", "Held"],
            ])
            with open(path, "a", encoding="utf-8") as file:
                file.write('Other("vdcu_other");\n')
            with self.assertRaisesRegex(ValueError, "vdcu_other"):
                generate.metrics_of(folder, "metrics.cc")


class MessagesTest(unittest.TestCase):
    PAGE = "| reason | message | cure |\n|---|---|---|\n| `{}` | `{}` | `not looked at` |\n"

    def faults(self, reason, message):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "node"))
            with open(os.path.join(folder, "node", "x.cc"), "w", encoding="utf-8") as file:
                file.write('return Refusal{"SliceGone", "container " + name +\n " holds " "nothing"};\n')
            return messages.faults(folder, self.PAGE.format(reason, message))

    def test_pages_against_sources(self):
        self.assertEqual(self.faults("SliceGone", "container … holds nothing"), [])
        self.assertEqual(len(self.faults("SliceGone", "holds something")), 1)
        self.assertEqual(len(self.faults("SliceWent", "holds nothing")), 2)


if __name__ == "__main__":
    unittest.main()
