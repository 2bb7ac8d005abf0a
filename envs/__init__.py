"""The simulator side: renderer, clutter physics, grasp labels, and PickClutter with language.

The folder `envs` of the repository is installed as `pickclutter_lang.envs`; imported under another name it
would register every environment id twice, so that is refused.
"""

if __name__ != "pickclutter_lang.envs":
    raise ImportError(f"import pickclutter_lang.envs, not {__name__}")
