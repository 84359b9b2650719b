"""What holds for all tests."""

import signal

# Whoever starts us in the background may have SIGINT ignored (a shell's `&`), and every program that a test
# starts would inherit that; but tests interrupt programs.
signal.signal(signal.SIGINT, signal.default_int_handler)

collect_ignore = ["applications"]  # their own tests run when they are packaged
