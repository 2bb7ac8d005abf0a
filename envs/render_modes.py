"""Render modes of the environment, and the renderer that its process uses for them."""

from __future__ import annotations

import os
from typing import Any

from mani_skill2.envs.pick_and_place.pick_clutter import PickClutterEnv

from pickclutter_lang.envs.renderer import shared_engine
from pickclutter_lang.errors import InvalidArgumentError, RendererError


def available_render_modes() -> tuple[str, ...]:
    """Return mani_skill2's render modes; its viewer ("human") needs a display."""
    return tuple(mode for mode in PickClutterEnv.SUPPORTED_RENDER_MODES if mode != "human" or _has_display())


def start_renderer(render_mode: str | None, renderer_kwargs: dict[str, Any] | None) -> tuple[Any, Any]:
    """Return the process's engine and renderer; with render_mode="human" the renderer can open a window.

    :raises InvalidArgumentError: for a render mode that mani_skill2 does not have
    :raises RendererError: for render_mode="human" without a display
    """
    if render_mode is not None and render_mode not in PickClutterEnv.SUPPORTED_RENDER_MODES:
        raise InvalidArgumentError(
            f"expected render_mode out of {', '.join(PickClutterEnv.SUPPORTED_RENDER_MODES)}, but got {render_mode!r}"
        )
    if render_mode == "human" and not _has_display():
        raise RendererError("render_mode='human' opens a window, but there is no display; use 'rgb_array'")
    viewer_kwargs = {"offscreen_only": False} if render_mode == "human" else {}
    engine, renderer = shared_engine(**viewer_kwargs, **(renderer_kwargs or {}))
    renderer.set_log_level("error")  # else each environment would warn that the renderer is shared
    return engine, renderer


def _has_display() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
