"""`python -m clarifai_build`."""

import sys

from clarifai_build.cli.main import main

sys.exit(main())
