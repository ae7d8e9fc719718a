"""intentx: what does a text ranker think a query means, and how far can that be believed?

The public names stand in ``__init__.pyi`` and are loaded when they are touched.
"""

import os as _os

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
# Rooms can be touched as well, but a star import brings the names alone.
_ROOMS = {name.partition(".")[0] for name in _os.listdir(__path__[0])}  # noqa: PTH208  (pathlib is slow)
__all__ = [name for name in __all__ if name not in _ROOMS]

__version__ = "0.2.0"
