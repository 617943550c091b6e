"""moto on a free loopback port, for as long as the parent holds our stdin open.

Writes the port as the first line of stdout; everything else goes to stderr, which is the log. The end of
stdin is how we learn that the parent is gone, however it went: nobody else holds the other end of the pipe.
"""

import os
import sys
import threading


def exit_with_parent():
    while os.read(0, 4096):
        pass
    os._exit(0)


threading.Thread(target=exit_with_parent, daemon=True).start()
announcement = os.dup(1)
os.dup2(2, 1)

# Ours would decide for moto how it answers: only what is said here counts.
for name in [name for name in os.environ if name.startswith(("MOTO_", "AWS_", "TEST_"))]:
    del os.environ[name]
os.environ["MOTO_ENABLE_AMI_VALIDATION"] = "1"
os.environ["MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION"] = "1"

from moto.moto_server.werkzeug_app import (  # noqa: E402
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server  # noqa: E402

# Where the folder with our corrections is, if there is one.
if len(sys.argv) > 1:
    sys.path.insert(0, sys.argv[1])
    import fixes  # noqa: E402, F401

server = make_server(
    "127.0.0.1",
    0,
    DomainDispatcherApplication(create_backend_app),
    threaded=True,
    request_handler=MotoRequestHandler,
)
os.environ["MOTO_PORT"] = str(server.server_port)
os.write(announcement, f"{server.server_port}\n".encode())
os.close(announcement)
server.serve_forever()
