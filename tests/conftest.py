"""What holds for all tests."""

import signal
from functools import cache

import botocore.session

# Whoever starts us in the background may have SIGINT ignored (a shell's `&`), and every program that a test
# starts would inherit that; but tests interrupt programs.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The models of AWS's services are megabytes of JSON: read once, and not again for each session that a test makes.
botocore.session.create_loader = cache(botocore.session.create_loader)

collect_ignore = ["applications"]  # their own tests run when they are packaged
