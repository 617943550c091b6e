"""What moto 5.2.5 does otherwise than AWS, put right inside moto, where it takes a few lines.

Each function is named after the API that it is about. `docs/aws-test-server.md` lists what is put right and what is not.
"""

from . import balancing, compute, gateways, global_services, held, interfaces, network, peering, placement, speed, transit  # noqa: F401
