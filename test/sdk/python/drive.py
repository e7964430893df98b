"""Drives the generated Python client: see ../clients.sdk-spec.ts."""

import json
import os

from claviger_client import AuthenticatedClient, Client
from claviger_client.api.audit_trail import audit_events_list
from claviger_client.api.keys import keys_revoke, keys_rotate
from claviger_client.api.me import me_get
from claviger_client.api.service_accounts import service_accounts_create
from claviger_client.api.sessions import sessions_create
from claviger_client.models import (
    AuditEventPage,
    KeyRotateInput,
    Login,
    LoginInput,
    RotatedKey,
    ServiceAccountCreated,
    ServiceAccountCreateInput,
    ServiceAccountMe,
)

url = os.environ["CLAVIGER_URL"]
run = os.environ["CLAVIGER_RUN"]

login = sessions_create.sync(
    client=Client(base_url=url),
    body=LoginInput(email=os.environ["CLAVIGER_EMAIL"], password=os.environ["CLAVIGER_PASSWORD"]),
)
assert isinstance(login, Login)
assert isinstance(login.token, str)
person = AuthenticatedClient(base_url=url, token=login.token)
organization = login.organizations[0].id

created = service_accounts_create.sync(
    organization,
    client=person,
    body=ServiceAccountCreateInput(name="Driven by Python", role="auditor"),
    idempotency_key=f"python-{run}",
)
assert isinstance(created, ServiceAccountCreated)
account = created.service_account.id

machine = AuthenticatedClient(base_url=url, token=created.key.token)
me = me_get.sync(client=machine)
assert isinstance(me, ServiceAccountMe)
events = audit_events_list.sync(organization, client=machine, actor=account)
assert isinstance(events, AuditEventPage)

first = created.key.id
rotated = keys_rotate.sync(
    organization, account, first, client=person, body=KeyRotateInput(overlap_seconds=3600)
)
assert isinstance(rotated, RotatedKey)
assert isinstance(rotated.token, str)
successor = AuthenticatedClient(base_url=url, token=rotated.token)
for client in (machine, successor):
    assert isinstance(me_get.sync(client=client), ServiceAccountMe)

after_revocation = []
for key, client in ((first, machine), (rotated.id, successor)):
    keys_revoke.sync_detailed(organization, account, key, client=person)
    after_revocation.append(me_get.sync_detailed(client=client).status_code)

print(
    json.dumps(
        {
            "account": account,
            "name": me.name,
            "events": len(events.data),
            "rotatedFromFirst": rotated.rotated_from_id == first,
            "afterRevocation": after_revocation,
        }
    )
)
