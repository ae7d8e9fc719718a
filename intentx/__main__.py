"""``python -m intentx``."""

import sys

from intentx.cli import main

sys.exit(main())
