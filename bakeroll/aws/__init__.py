"""Small typed adapters for AWS. Only they import boto3. They implement the rooms' Protocols."""
