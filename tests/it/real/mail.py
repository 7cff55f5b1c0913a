"""aiosmtpd, a mail server of others: STARTTLS, and AUTH that it takes over TLS alone.

Arguments: certificate, key, user, password. Prints one line of JSON with its port when it is up, and one for each mail that
it has taken. Nobody has the mailbox nobody@example.org. It ends with its input.
"""

import json
import socket
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

certificate, key, user, password = sys.argv[1:5]


class Postman:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address == "nobody@example.org":
            return "550 5.1.1 No such user here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None,
            "user": session.auth_data.login.decode() if session.auth_data else None,
            "hello": session.host_name,
            "text": envelope.original_content.decode("ascii"),
        }
        print(json.dumps(mail), flush=True)
        return "250 2.0.0 OK: queued as REAL17"


def authenticate(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (user.encode(), password.encode())
    return AuthResult(success=right, handled=False, auth_data=data if right else None)


# The controller knocks at the port that it is given, so it is given one that is free.
with socket.create_server(("127.0.0.1", 0)) as found:
    port = found.getsockname()[1]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)
controller = Controller(
    Postman(),
    hostname="127.0.0.1",
    port=port,
    tls_context=context,
    require_starttls=True,
    authenticator=authenticate,
    auth_required=True,
    auth_require_tls=True,
)
controller.start()
print(json.dumps({"port": port}), flush=True)
sys.stdin.read()
controller.stop()
