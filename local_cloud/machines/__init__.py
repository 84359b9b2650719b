"""The instances: real machines, the images that they boot, and what answers inside them."""
