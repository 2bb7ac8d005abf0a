"""Which driver renders, with and without a GPU, and the errors where none does."""

import ctypes.util
import os
from pathlib import Path

import pytest

from pickclutter_lang.envs import vulkan
from pickclutter_lang.envs.check_install import check_renderer
from pickclutter_lang.errors import MissingExtraError, RendererError

pytestmark = pytest.mark.sim


def test_the_renderer_works_here() -> None:
    assert "renders" in check_renderer()


def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    vulkan.prepare_renderer.cache_clear()
    for name in ("VK_ICD_FILENAMES", "VK_DRIVER_FILES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def restored() -> object:
    """Undo what a test did to the environment variables of this process."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
    vulkan.prepare_renderer.cache_clear()


def test_without_a_loader_the_error_names_the_apt_line(monkeypatch: pytest.MonkeyPatch) -> None:
    _fresh(monkeypatch)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    with pytest.raises(RendererError, match=r"apt-get install .*libvulkan1 mesa-vulkan-drivers"):
        vulkan.prepare_renderer()


def test_without_a_driver_the_error_names_the_apt_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _fresh(monkeypatch)
    monkeypatch.setattr(vulkan, "_ICD_FOLDERS", (str(tmp_path),))
    monkeypatch.setattr(vulkan, "_has_gpu", lambda: False)
    with pytest.raises(RendererError, match=r"lvp_icd\*\.json.*apt-get"):
        vulkan.prepare_renderer()


def test_without_sapien_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    _fresh(monkeypatch)
    monkeypatch.setattr(vulkan, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"-e '\.\[sim\]'"):
        vulkan.prepare_renderer()


def test_with_a_gpu_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    _fresh(monkeypatch)
    monkeypatch.delenv("VK_INSTANCE_LAYERS", raising=False)
    monkeypatch.setattr(vulkan, "_has_gpu", lambda: True)
    before = dict(os.environ)
    assert vulkan.prepare_renderer().kind == "gpu"
    assert dict(os.environ) == before


def test_the_choice_of_the_user_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    _fresh(monkeypatch)
    monkeypatch.setenv("VK_DRIVER_FILES", "/opt/my_icd.json")
    assert vulkan.prepare_renderer() == vulkan.RendererBackend("user", "/opt/my_icd.json")


def test_a_broken_driver_is_an_error_and_not_a_crash(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _fresh(monkeypatch)
    monkeypatch.setenv("VK_DRIVER_FILES", str(tmp_path / "absent.json"))
    with pytest.raises(RendererError, match=r"user renderer .* failed with status"):
        check_renderer()
