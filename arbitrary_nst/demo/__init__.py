"""The demo in the browser: photos, sliders, and the picture that follows them.

`start` is the door. Gradio is an extra, so nothing here imports it before it is asked for.
"""

from arbitrary_nst.demo.serving import start
from arbitrary_nst.demo.settings import Settings

__all__ = ["Settings", "start"]
