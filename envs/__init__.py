"""The simulator side: renderer, clutter physics, grasp labels, and PickClutter with language.

`import pickclutter_lang.envs` registers `PickClutterLang/YCB-v0`, `PickClutterLang/Proxy-v0`,
`PickClutterLang/Kinds-v0` and `PickClutterLang/Own-v0`, where Gymnasium is installed; where ManiSkill 3 is, `-v3` of
each, and where no simulator is, both. So does `gymnasium.make("pickclutter_lang.envs:PickClutterLang/YCB-v0")`. Neither
imports the simulator.

The folder `envs` of the repository is installed as `pickclutter_lang.envs`; imported under another name it
would register every environment id twice, so that is refused.
"""

from importlib.util import find_spec

if __name__ != "pickclutter_lang.envs":
    raise ImportError(f"import pickclutter_lang.envs, not {__name__}")

from pickclutter_lang.envs.registration import register

if find_spec("gymnasium") is not None:  # collecting scenes needs none
    register()
