"""Small typed adapters over AWS's API. Only this room imports boto3."""
