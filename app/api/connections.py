from app.accounts.guard import account
from app.api import bp
from app.api.schemas.connections import ConnectionChange, ConnectionOut, ConnectionsOut, PaceOut, PriceRangeOut
from app.platforms import actions, queries
from app.platforms.models import Connection


@bp.get("/connections")
@bp.output(ConnectionsOut)
def list_connections() -> ConnectionsOut:
    return ConnectionsOut(connections=[_shown(connection) for connection in queries.connections_of(account.id)])


@bp.put("/connections/<id:connection_id>")
@bp.input(ConnectionChange)
@bp.output(ConnectionOut)
def change_connection(connection_id: int, json_data: ConnectionChange) -> ConnectionOut:
    connection = queries.find_connection(account.id, connection_id)
    pace, prices = json_data.pace, json_data.price_range
    actions.change_pace_and_prices(
        connection,
        (pace.limit, pace.window_seconds) if pace else None,
        (prices.min_cents, prices.max_cents) if prices else None,
    )
    return _shown(connection)


def _shown(connection: Connection) -> ConnectionOut:
    return ConnectionOut(
        id=connection.id,
        platform=connection.platform,
        adapter=connection.adapter,
        status=connection.status,
        pace=PaceOut(limit=connection.pace_limit, window_seconds=connection.pace_window_seconds),
        price_range=PriceRangeOut(min_cents=connection.price_min_cents, max_cents=connection.price_max_cents),
        last_synced_at=connection.last_synced_at,
    )
