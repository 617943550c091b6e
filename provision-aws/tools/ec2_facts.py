#!/usr/bin/env python3
"""Writes ec2-facts.json: what botocore's model of EC2 says about the calls that we make.

    python3 provision-aws/tools/ec2_facts.py > provision-aws/tools/ec2-facts.json

needs botocore (`pip install botocore`, or any environment with moto). The tests of the pure half read the file, so that
they need no Python: which calls take a token, which take tags, and what every parameter is called.
"""

import gzip
import json
import pathlib

import botocore

APIS = [
    "AuthorizeSecurityGroupEgress",
    "AuthorizeSecurityGroupIngress",
    "CreateSecurityGroup",
    "CreateSubnet",
    "CreateTags",
    "CreateVpc",
    "DeleteSecurityGroup",
    "DeleteSubnet",
    "DeleteTags",
    "DeleteVpc",
    "ModifyInstanceAttribute",
    "ModifySubnetAttribute",
    "ModifyVpcAttribute",
    "RevokeSecurityGroupEgress",
    "RevokeSecurityGroupIngress",
    "RunInstances",
    "TerminateInstances",
]

# Structures whose inner names we write too; the other parameters are listed by their own name alone.
INSIDE = {
    "EnableDnsHostnames",
    "EnableDnsSupport",
    "IpPermissions",
    "MapPublicIpOnLaunch",
    "TagSpecifications",
    "Tags",
}


def paths(shapes, name, prefix):
    shape = shapes[name]
    if shape["type"] == "structure":
        for member, to in shape["members"].items():
            path = f"{prefix}.{member}" if prefix else member
            yield path
            if prefix or member in INSIDE:
                yield from paths(shapes, to["shape"], path)
    elif shape["type"] == "list":
        yield from paths(shapes, shape["member"]["shape"], prefix)


def main():
    data = pathlib.Path(botocore.__file__).parent / "data/ec2/2016-11-15/service-2.json.gz"
    model = json.loads(gzip.decompress(data.read_bytes()))
    shapes = model["shapes"]
    operations = {}
    for api in APIS:
        request = model["operations"][api]["input"]["shape"]
        members = shapes[request]["members"]
        operations[api] = {
            "takes_token": "ClientToken" in members,
            "takes_tags": "TagSpecifications" in members,
            "parameters": sorted(paths(shapes, request, "")),
        }
    facts = {"source": f"botocore {botocore.__version__}, ec2/2016-11-15", "operations": operations}
    print(json.dumps(facts, indent=1))


main()
