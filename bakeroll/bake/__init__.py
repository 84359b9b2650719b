"""Bakes images: the source AMI into a base image, and a base image plus one package into an application image.

    bakery      what to bake, from what, by which recipe; begin reading here
    oven        bakes one image with Packer, unless one of the same digest exists
    recipe      what decides an image's content, and its digest; pure
    folder      the toolkit's packer/ and ansible/, overlaid with the application's
    template    Packer's HCL, rendered by Jinja2
    packer      Packer's command and environment; turns its output into events
    catalogue   the existing images, found by their tags
    sweep       deletes what a killed bake left behind

Packer drives the builder through EC2's API, and Ansible drives it through SSH. This room prepares their input,
reports what they do, and makes sure that nothing is baked twice.
"""
