"""What runs commands or asks over HTTP."""
