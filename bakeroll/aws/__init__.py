"""AWS, in small typed adapters: the only importers of boto3. A room's Protocols are met here."""
