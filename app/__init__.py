"""Greenroom: `create_app` puts the parts together, and does nothing else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apiflask import APIFlask


def create_app(overrides: dict[str, Any] | None = None) -> APIFlask:
    """overrides: configuration that stands above the environment's, for tests and tools."""
    # Imported here, so that the launcher (`python -m app`) can start the web process before it knows all of this.
    from apiflask import APIFlask

    from app import accounts, api, campaigns, cli, conversations, fans, imports, media, operations, platforms
    from app import analytics, portability, quick_replies, segments, timeline  # isort: skip
    from app import assets, config, database, errors, extensions, formats, logs, looks, web  # isort: skip

    app = APIFlask(
        __name__,
        title="Greenroom",
        version="1",
        json_errors=False,
        docs_path=None,
        spec_path="/api/openapi.json",
        instance_path=None,
    )
    app.config.update(config.read_settings(os.environ))
    app.config.update(overrides or {})
    for part in (logs, database, extensions, errors, web, formats, assets, looks):
        part.init_app(app)
    features = (
        accounts,
        platforms,
        media,
        fans,
        quick_replies,
        conversations,
        segments,
        imports,
        campaigns,
        timeline,
        analytics,
        operations,
        portability,
        api,
    )
    for feature in features:
        feature.init_app(app)
    cli.init_app(app)
    return app
