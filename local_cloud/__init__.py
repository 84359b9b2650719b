"""A cloud inside this machine: the AWS API by moto, with real machines behind it.

`python -m local_cloud` is its command. README.md explains it and its rooms; docs/local-cloud.md says how it differs
from AWS.
A package of its own: it knows nothing of the toolkit that lies beside it.
"""
