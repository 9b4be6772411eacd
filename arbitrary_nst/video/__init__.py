"""Clips, painted frame by frame with a steady hand."""

from arbitrary_nst.video.film import stylize_video
from arbitrary_nst.video.keyframes import Keyframe

__all__ = ["Keyframe", "stylize_video"]
