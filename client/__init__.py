"""One classroom's machine: domain, stores, media and services. Knows no Qt and opens no socket."""
