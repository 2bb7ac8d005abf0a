"""Whether a server of weights can be reached."""

from __future__ import annotations

import urllib.error
import urllib.request

_PROBE_SECONDS = 8.0


def reachable(url: str) -> bool:
    """Ask once, briefly: Hugging Face's client would try for most of a minute before it gives up."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=_PROBE_SECONDS):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
