"""What a request to the API is: which action it asks for, what AWS's own model says against it, how it is refused."""
