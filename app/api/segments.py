from typing import Any

from flask import url_for
from flask_login import current_user

from app.accounts.guard import account
from app.api import bp
from app.api.schemas.segments import CountOut, RuleIn, SegmentChange, SegmentIn, SegmentOut, SegmentsOut
from app.segments import actions, queries
from app.segments.rules import parse


@bp.get("/segments")
@bp.output(SegmentsOut)
def list_segments() -> SegmentsOut:
    return SegmentsOut.model_validate({"segments": queries.segments_of(account.id)})


@bp.post("/segments")
@bp.input(SegmentIn)
@bp.output(SegmentOut, status_code=201)
def add_segment(json_data: SegmentIn) -> Any:
    segment = actions.save_segment(account.id, current_user.id, json_data.name, parse(json_data.rule))
    return SegmentOut.model_validate(segment), 201, {"Location": url_for("api.show_segment", segment_id=segment.id)}


@bp.get("/segments/<id:segment_id>")
@bp.output(SegmentOut)
def show_segment(segment_id: int) -> SegmentOut:
    return SegmentOut.model_validate(queries.find_segment(account.id, segment_id))


@bp.put("/segments/<id:segment_id>")
@bp.input(SegmentChange)
@bp.output(SegmentOut)
def change_segment(segment_id: int, json_data: SegmentChange) -> SegmentOut:
    rule = None if json_data.rule is None else parse(json_data.rule)
    return SegmentOut.model_validate(actions.change_segment(account.id, segment_id, name=json_data.name, rule=rule))


@bp.delete("/segments/<id:segment_id>")
@bp.output({}, status_code=204)
def remove_segment(segment_id: int) -> str:
    actions.remove_segment(account.id, segment_id)
    return ""


@bp.post("/segments/count")
@bp.input(RuleIn)
@bp.output(CountOut)
def count_segment(json_data: RuleIn) -> CountOut:
    return CountOut(count=queries.count_fans(account.id, parse(json_data.rule)))
