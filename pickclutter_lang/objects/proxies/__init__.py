"""Procedural stand-ins and random things: made by code, in metric size, in ManiSkill2's layout."""

from pickclutter_lang.objects.proxies.build import PROXY_VERSION, build_proxies
from pickclutter_lang.objects.proxies.things import RandomThing, random_thing, write_things

__all__ = ["PROXY_VERSION", "RandomThing", "build_proxies", "random_thing", "write_things"]
