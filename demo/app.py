"""Starts the demo: `python demo/app.py`, or as a Hugging Face Space.

The demo itself is in the package, where `arbitrary-nst demo` starts it too.
"""

import os

from arbitrary_nst.demo import Settings, start
from arbitrary_nst.demo.settings import read_auth

if __name__ == "__main__":
    # A Space is reached through its host's proxy, so it has to listen to more than itself.
    here = "0.0.0.0" if "SPACE_ID" in os.environ else Settings.host
    host = os.environ.get("GRADIO_SERVER_NAME", here)
    port = int(os.environ.get("GRADIO_SERVER_PORT", Settings.port))
    start(Settings(host=host, port=port, auth=read_auth(None)), announce=print)
