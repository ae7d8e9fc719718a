"""Black boxes: rankers that intentx brings along.

The public names stand in ``__init__.pyi`` and are loaded when they are touched.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
