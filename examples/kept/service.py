"""The settings of a web service, as they lie in a config file."""

from __future__ import annotations

from typing import Any

_REGIONS = ("eu-west", "eu-north", "us-east", "ap-south")


def config() -> dict[str, Any]:
    """Return the settings: plain data."""
    return {
        "name": "storefront",
        "version": "4.12.0",
        "debug": False,
        "server": {
            "host": "0.0.0.0",
            "port": 8080,
            "workers": 8,
            "timeout_seconds": 30.0,
            "tls": {"certificate": "/etc/storefront/tls.crt", "key": "/etc/storefront/tls.key"},
        },
        "database": {
            "url": "postgresql://storefront@db.internal/storefront",
            "pool": {"min": 2, "max": 20, "recycle_seconds": 1800},
            "replicas": [
                {"region": region, "host": f"db-{region}.internal", "weight": weight}
                for weight, region in enumerate(_REGIONS, 1)
            ],
        },
        "logging": {
            "level": "INFO",
            "handlers": ["console", "file"],
            "file": {"path": "/var/log/storefront.log", "keep_days": 14},
            "levels": {"storefront.payments": "DEBUG", "urllib3": "WARNING", "asyncio": "ERROR"},
        },
        "features": {
            "new_checkout": {"on": True, "share": 0.25, "regions": list(_REGIONS[:2])},
            "recommendations": {"on": True, "share": 1.0, "regions": list(_REGIONS)},
            "dark_mode": {"on": False, "share": 0.0, "regions": []},
        },
        "limits": {"requests_per_minute": 600, "upload_bytes": 10_485_760, "burst": None},
        "languages": ["en", "de", "fr", "日本語"],
    }
