#!/usr/bin/env python3
"""Writes aws-facts.json: what botocore's models say about the operations that we use.

    python3 provision-aws/tools/aws_facts.py > provision-aws/tools/aws-facts.json

needs botocore (`pip install botocore`, or any environment with moto). Which operations those are, `apis!` in the sources
says. The tests of the pure half read the file, so that they need no Python: which operations take a token, which take tags,
and what every parameter is called.
"""

import gzip
import json
import pathlib
import re

import botocore

SOURCES = pathlib.Path(__file__).parent.parent / "src"
# Services whose models are called otherwise than their SDKs' clients in the sources.
MODELS = {}
# What a create can carry a mark in: Route 53's zones have a reference, and tags only later.
TAGS = {"TagSpecifications", "Tags", "TagSpecification", "CreateBucketConfiguration.Tags", "CallerReference"}


def operations():
    """(service, operation, its name here) of every `apis!`."""
    for source in sorted(SOURCES.rglob("*.rs")):
        for block in re.finditer(r"^apis! \{ \w+ (\w+);$(.*?)^\}$", source.read_text(), re.M | re.S):
            for api in re.finditer(r'^    (\w+)(?: as \w+)?(?: named "([\w:]+)")?: \w+,\s', block[2], re.M):
                yield block[1], api[1], api[2] or api[1]


def model(service):
    folder = pathlib.Path(botocore.__file__).parent / "data" / MODELS.get(service, service)
    data = max(folder.iterdir()) / "service-2.json.gz"
    return json.loads(gzip.decompress(data.read_bytes()))


def paths(shapes, name, prefix, above=()):
    shape = shapes[name]
    if name in above:
        return
    if shape["type"] == "structure":
        for member, to in shape["members"].items():
            path = f"{prefix}.{member}" if prefix else member
            yield path
            yield from paths(shapes, to["shape"], path, (*above, name))
    elif shape["type"] == "list":
        yield from paths(shapes, shape["member"]["shape"], prefix, (*above, name))


def used():
    """Names that the sources write: of the models' thousands of parameters, these alone are kept."""
    return set(re.findall(r"\w+", "".join(source.read_text() for source in SOURCES.rglob("*.rs"))))


def main():
    models, facts, words = {}, {}, used()
    for service, api, name in operations():
        if service not in models:
            models[service] = model(service)
        request = models[service]["operations"][api]["input"]["shape"]
        shapes = models[service]["shapes"]
        members = shapes[request]["members"]
        known = {path for path in paths(shapes, request, "") if all(name in words for name in path.split("."))}
        facts[name] = {
            "takes_token": "ClientToken" in members,
            "takes_tags": bool(TAGS & (known | members.keys())),
            "parameters": sorted(known),
        }
    print(json.dumps(facts, indent=1, sort_keys=True))


main()
