#!/usr/bin/env python3
"""Makes aviary.json and the copies inside the program from aviary.yaml, the one source.

Run it after a change of aviary.yaml; it needs PyYAML (Debian: python3-yaml). A test compares all of
them, so a forgotten run is found.
"""

import json
import pathlib

import yaml

HERE = pathlib.Path(__file__).resolve().parent
SWIFT = HERE.parent / "Sources/Gateway/OpenAPI"
PART_LINES = 380
WIDTH = 96


def packed(value):
    """JSON in lines of moderate length, broken behind commas only."""
    tokens = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).iterencode(value)
    lines, line = [], ""
    for token in tokens:
        if line.endswith(",") and len(line) + len(token) > WIDTH:
            lines.append(line)
            line = ""
        line += token
    return "\n".join(lines + [line]) + "\n"


def swift(name, text):
    lines = text.splitlines()
    parts = [lines[at:at + PART_LINES] for at in range(0, len(lines), PART_LINES)]
    for old in SWIFT.glob(f"{name}*.swift"):
        old.unlink()
    for number, part in enumerate(parts, 1):
        body = "".join(f"        {line}\n" if line else "\n" for line in part)
        (SWIFT / f"{name}{number}.swift").write_text(
            "// swift-format-ignore-file\n"
            "// Made by openapi/generate.py from openapi/aviary.yaml: change that, never this.\n"
            "\n"
            "extension OpenAPIDocument {\n"
            f"    static let {name.lower()}{number}: StaticString = #\"\"\"\n"
            f"{body}\n"
            "        \"\"\"#\n"
            "}\n")
    return ", ".join(f"{name.lower()}{n}" for n in range(1, len(parts) + 1))


def main():
    source = (HERE / "aviary.yaml").read_text()
    document = packed(yaml.safe_load(source))
    (HERE / "aviary.json").write_text(document)
    SWIFT.mkdir(exist_ok=True)
    (SWIFT / "OpenAPIDocument.swift").write_text(
        "// The OpenAPI document inside the program, in parts of moderate length, in order.\n"
        "// Made by openapi/generate.py from openapi/aviary.yaml: change that, never this.\n"
        "\n"
        "package enum OpenAPIDocument {\n"
        f"    package static let yaml: [StaticString] = [{swift('YAML', source)}]\n"
        f"    package static let json: [StaticString] = [{swift('JSON', document)}]\n"
        "}\n")


if __name__ == "__main__":
    main()
