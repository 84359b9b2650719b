"""Prints the JSON schema of deploy.yml: `python -m bakeroll.settings > docs/deploy.schema.json`."""

import json

from bakeroll.settings import schema

print(json.dumps(schema(), indent=2))
