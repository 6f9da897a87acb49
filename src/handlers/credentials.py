"""``POST /api/rotate_credential``, and the tokens that every handler gives out."""

from accounts.credentials import Credential, issue
from answers import Answer, json_answer
from api.logins import Rotated
from call import Call
from clock import now
from store.addresses import rotate_credential


async def rotate(call: Call) -> Answer:
    new = await rotate_credential(call.database, call.credential, by=call.owner, now=now())
    return json_answer(Rotated(jwt=token(call, new)))


def token(call: Call, credential: Credential) -> str:
    """The token for ``credential``, as this deployment makes them."""
    settings = call.settings
    return issue(
        credential,
        secret=settings.jwt_secrets[0],
        now=now() // 1000,
        lifetime_days=settings.credential_ttl_days,
    )
