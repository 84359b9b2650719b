"""The road of a release, from a commit to a fleet that serves it.

    commit ──package──▶ .deb ──publish──▶ apt repository ──bake──▶ AMI ──roll──▶ fleet, and the release written down

Each stage is a task of its own and walks the road up to itself; what an earlier run has done is found, not
done again: a version in the repository is not built, an image with the recipe's digest is not baked, a fleet
that serves the release is not rolled. So `deploy` can be run at any time, after any end, and goes on.

    package   the version from Git, or the one asked for; the .deb, unless the repository has that version
    publish   adds it to the signed repository
    bake      the base image where none is current, then the application image on it
    roll      the fleet to that image; then the release is written down
    rollback  roll, to an image of the history

Rooms do the work and report what happens; this module only joins them.
"""
