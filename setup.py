"""The packages, which setup.cfg cannot both find and add to; everything else is there."""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["arbitrary_nst", "arbitrary_nst.*"]),
        "arbitrary_nst.models",  # of `models/`, see package_dir in setup.cfg
    ]
)
