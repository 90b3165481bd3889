"""For pips that do not read setup.cfg by themselves; everything stands there."""

from setuptools import setup

setup()
