"""The process that is the cloud: its parts put together, the API served within bounds, and all of it kept on disk."""
