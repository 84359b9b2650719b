"""Bakes images: the source AMI into a base image, a base image and one package into an application image.

    bakery      what to bake, from what, by which recipe; where to begin reading
    oven        one image through Packer, or none where there is one of the same digest
    recipe      what decides an image's content, and its digest; pure
    folder      the toolkit's packer/ and ansible/ with the application's laid over
    template    Packer's HCL, rendered by Jinja2
    packer      Packer's command and environment; its output, line by line, into events
    catalogue   the images there are, found by their tags
    sweep       what a killed bake left behind

Packer drives the builder through EC2's API and Ansible drives it through SSH; this room prepares their
input, tells what they do, and makes sure that nothing is baked twice.
"""
