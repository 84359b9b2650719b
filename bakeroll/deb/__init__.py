"""From a Git commit to a Debian package: the version, the source, the build."""
