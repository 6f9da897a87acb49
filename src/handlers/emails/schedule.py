"""``PATCH /emails/{id}`` and ``POST /emails/{id}/cancel``: sending a mail later, or not at all."""

import msgspec

from answers import Answer, json_answer
from api.emails import EmailObject, NewTime
from call import Call
from clock import now
from delivery import set_alarms
from handlers.decoding import read_json
from mail.schedule import check_scheduled_at, parse_scheduled_at
from refusals import FieldError, InvalidInput
from store import schedule

_decoder = msgspec.json.Decoder(NewTime)


async def reschedule(call: Call) -> Answer:
    message_id = call.parameters["id"]
    body = await read_json(call.request, _decoder)
    if body.scheduled_at is None:
        missing = FieldError("scheduled_at", "required_field_missing")
        raise InvalidInput("required_field_missing", errors=(missing,))
    if body.id not in (None, message_id):  # the Python SDK repeats the path's
        raise InvalidInput("id_mismatch", errors=(FieldError("id", "id_mismatch"),))
    due_at, time = parse_scheduled_at(body.scheduled_at), now()
    assert due_at is not None  # there is a text
    check_scheduled_at(due_at, now=time)
    await schedule.reschedule(
        call.database,
        call.credential,
        message_id,
        due_at=due_at,
        now=time,
    )
    set_alarms(call.alarm, [(message_id, due_at)], call.outlive)
    return _changed(call, message_id)


async def cancel(call: Call) -> Answer:
    message_id = call.parameters["id"]
    await schedule.cancel(call.database, call.credential, message_id, now=now())
    return _changed(call, message_id)


def _changed(call: Call, message_id: str) -> Answer:
    call.message_ids.append(message_id)
    return json_answer(EmailObject(message_id))
