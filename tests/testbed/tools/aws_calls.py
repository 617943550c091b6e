#!/usr/bin/env python3
"""Writes aws-calls.json: what botocore's models say about the calls that the proxy has to understand.

    python3 tests/testbed/tools/aws_calls.py > tests/testbed/tools/aws-calls.json

needs the botocore of requirements.txt: the Python of moto's environment has it. The proxy reads the file, so a new
version of the models is a run of this and a look at the difference.

- `rest`: how the calls of REST services are told apart: method, path, and what their query and headers must have;
- `pages`: which list calls page, by which parameters, and which element of the answer is the list;
- `tokens`: which calls take a client token.
"""

import gzip
import json
import pathlib

import botocore

DATA = pathlib.Path(botocore.__file__).parent / "data"
REST = {"s3": "s3/2006-03-01", "route53": "route53/2013-04-01"}
QUERY = {
    "autoscaling": "autoscaling/2011-01-01",
    "ec2": "ec2/2016-11-15",
    "elasticloadbalancing": "elbv2/2015-12-01",
    "iam": "iam/2010-05-08",
}
# Paged by moto itself, by keys of the objects instead of a token.
BY_KEY = {"ListResourceRecordSets", "ListHostedZonesByName"}


def model(path):
    return json.loads(gzip.decompress((DATA / path / "service-2.json.gz").read_bytes()))


def rest(path):
    data = model(path)
    calls = {}
    for name, operation in sorted(data["operations"].items()):
        http = operation["http"]
        uri, _, query = http["requestUri"].partition("?")
        shape = data["shapes"].get(operation.get("input", {}).get("shape"), {"members": {}})
        needed = [shape["members"][member] for member in shape.get("required", [])]
        of = lambda where: sorted(to["locationName"] for to in needed if to.get("location") == where)
        calls[name] = {
            "method": http["method"],
            "path": uri.rstrip("/"),
            "query": sorted(part for part in query.split("&") if part) + of("querystring"),
            "headers": of("header"),
        }
    return calls


def pages(service, path):
    """The calls that page, by the paginators; where the wire's names are other than the model's, the wire's."""
    data = model(path)
    shapes = data["shapes"]
    found = json.loads((DATA / path / "paginators-1.json").read_text())["pagination"]
    result = {}
    for name, page in sorted(found.items()):
        if name in BY_KEY or "limit_key" not in page or not isinstance(page["result_key"], str):
            continue
        operation = data["operations"][name]
        given = shapes[operation["input"]["shape"]]["members"]
        answered = shapes[operation["output"]["shape"]]["members"]
        wire = lambda members, member: members[member].get("locationName", member)
        in_request = lambda member: wire(given, member) if service in REST else member
        listed = answered[page["result_key"]]
        item = shapes[listed["shape"]]["member"].get("locationName", "member")
        size = shapes[given[page["limit_key"]]["shape"]]
        result[name] = {
            "size": in_request(page["limit_key"]),
            "token": in_request(page["input_token"]),
            "next": wire(answered, page["output_token"]),
            "more": wire(answered, page["more_results"]) if "more_results" in page else None,
            "list": wire(answered, page["result_key"]),
            "item": item,
            "min": size.get("min"),
            "max": size.get("max"),
        }
    return result


def tokens(path):
    data = model(path)
    takes = lambda operation: "ClientToken" in data["shapes"][operation["input"]["shape"]]["members"]
    return sorted(name for name, operation in data["operations"].items() if "input" in operation and takes(operation))


def lines(table, depth):
    """One line per call, so that a difference can be read."""
    pad = " " * depth
    rows = [f"{pad}{json.dumps(name)}: {json.dumps(row)}" for name, row in table.items()]
    return "{\n" + ",\n".join(rows) + "\n" + " " * (depth - 1) + "}"


def main():
    versions = ", ".join([*REST.values(), *QUERY.values()])
    parts = [
        f' "source": {json.dumps(f"botocore {botocore.__version__}: {versions}")}',
        ' "rest": {\n' + ",\n".join(f'  "{name}": {lines(rest(path), 3)}' for name, path in REST.items()) + "\n }",
        ' "pages": {\n'
        + ",\n".join(f'  "{name}": {lines(pages(name, path), 3)}' for name, path in {**QUERY, "route53": REST["route53"]}.items())
        + "\n }",
        ' "tokens": ' + json.dumps({name: tokens(path) for name, path in QUERY.items() if tokens(path)}),
    ]
    print("{\n" + ",\n".join(parts) + "\n}")


main()
