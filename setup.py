"""Adds the one file that pyproject.toml cannot: it registers the Gymnasium ids (see envs/plugin.py)."""

import os
import sysconfig

from setuptools import Distribution, setup


class DistributionWithData(Distribution):
    """A distribution whose data files setuptools installs with `pip install --editable` too."""

    def has_data(self) -> bool:
        """Answer what setuptools' editable install asks, under a name that its own class lacks."""
        return bool(self.data_files)


site_packages = os.path.relpath(sysconfig.get_path("purelib"), sysconfig.get_path("data"))

setup(
    distclass=DistributionWithData,
    data_files=[(site_packages, ["assets/pickclutter_lang_gymnasium.pth"])],
)
