from app.accounts.guard import account
from app.api import bp
from app.api.schemas.monitoring import MonitoringOut
from app.operations import health


@bp.get("/monitoring/onlyfans")
@bp.output(MonitoringOut)
def monitoring() -> MonitoringOut:
    return MonitoringOut.model_validate(health.overview(account.id))
