"""Procedural stand-ins: made by code, in metric size, in ManiSkill2's layout."""

from pickclutter_lang.objects.proxies.build import PROXY_VERSION, build_proxies

__all__ = ["PROXY_VERSION", "build_proxies"]
