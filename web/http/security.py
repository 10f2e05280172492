"""Who may talk to the service through a browser: host check, cross-site check, headers of every answer."""

from __future__ import annotations

import re
from collections.abc import Collection

from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest, MisdirectedRequest

from storage.errors import CrossSiteError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# What a Host header can be (RFC 9110, 7.2): a name or an address, and a port. A parser of URLs takes more, and raises.
_HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE)
_ORIGIN = re.compile(r"https?://([^/]+)", re.ASCII | re.IGNORECASE)

# blob: is what a player feeds the media element and its worker with; everything else comes from this service.
_POLICY = {
    "default-src": "'self'",
    "media-src": "'self' blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}

HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in _POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # for answers that do not say otherwise
}


def host_allowed(host: str, trusted: Collection[str]) -> bool:
    """Tell whether the Host header names one of the trusted hosts; the port is not looked at.

    Flask's TRUSTED_HOSTS would do, but Werkzeug 3.1 cuts its entries at the first colon, so `[::1]` never matches.
    """
    found = _HOST.fullmatch(host)
    return found is not None and found[1].strip("[]").lower() in {entry.strip("[]").lower() for entry in trusted}


def is_cross_site(method: str, *, fetch_site: str | None, origin: str | None, host: str) -> bool:
    """Tell whether an unsafe request was made by another site's page.

    Browsers say so in Sec-Fetch-Site; older ones only name the Origin, which is another site's in whatever form that
    no browser sends. Tools send neither and are let through.
    """
    if method in SAFE_METHODS:
        return False
    if fetch_site is not None:
        return fetch_site not in {"same-origin", "none"}
    if origin is None:
        return False
    # Schemes differ behind a proxy that ends TLS, so host and port decide.
    named = _ORIGIN.fullmatch(origin)
    return named is None or named[1].lower() != host.lower()


def authority_of(target: str) -> str | None:
    """Return the host that a request's target names itself, `http://host/path`; None for a path or `*`.

    It overrules the Host header (RFC 9112, 3.2.2), so that both have to be ours.
    """
    return None if target.startswith("/") or target == "*" else target.partition("://")[2].partition("/")[0] or target


def init_security(app: Flask, trusted_hosts: Collection[str]) -> None:
    """Check every request of the app and put the security headers on every answer."""

    def check() -> None:
        host, named = request.headers.get("Host"), authority_of(request.environ.get("RAW_URI", "*"))
        if host is None:
            raise BadRequest("A request must name the host it is for, in the header Host.")
        if not all(host_allowed(name, trusted_hosts) for name in (host, named) if name is not None):
            raise MisdirectedRequest("This host name is not one of the service's; ALLOWED_HOSTS lists them.")
        fetch_site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        if is_cross_site(request.method, fetch_site=fetch_site, origin=origin, host=request.host or host):
            raise CrossSiteError

    def protect(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    app.before_request(check)
    app.after_request(protect)
