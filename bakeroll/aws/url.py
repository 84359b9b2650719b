"""The URL of a load balancer, for people and their browsers."""


def url(protocol: str, host: str, port: int) -> str:
    """The URL of a listener, without the scheme's default port.

    >>> url("HTTPS", "links.example", 443), url("HTTP", "links.example", 8080)
    ('https://links.example', 'http://links.example:8080')
    """
    scheme = "https" if protocol in ("HTTPS", "TLS", "SSL") else "http"
    return f"{scheme}://{host}" if port == {"http": 80, "https": 443}[scheme] else f"{scheme}://{host}:{port}"
