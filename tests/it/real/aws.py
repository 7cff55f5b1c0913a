"""AWS as moto plays it, with every request's signature checked against a user that was made here.

Prints one line of JSON when it is up: url, access_key_id, secret_access_key. For each line on standard input it
prints the texts that were published to numbers so far; it ends with its input.
"""

import json
import os
import sys

# After these calls, which make the user, no request passes without a right signature and a right to do it.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "3"
REGION, ACCOUNT, USER = "eu-west-1", "123456789012", "stentor"

import boto3  # noqa: E402
import flask  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402
from moto.sns.models import sns_backends  # noqa: E402

make_request = flask.Request.__init__


def keep_body(request, *arguments, **named):
    """A form is parsed from its bytes, and these are forgotten; the signature is over them."""
    make_request(request, *arguments, **named)
    request.get_data(cache=True)


flask.Request.__init__ = keep_body
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = f"http://{host}:{port}"
iam = boto3.client(
    "iam", endpoint_url=url, region_name=REGION, aws_access_key_id="first", aws_secret_access_key="first"
)
iam.create_user(UserName=USER)
key = iam.create_access_key(UserName=USER)["AccessKey"]
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sns:*", "Resource": "*"}]}
iam.put_user_policy(UserName=USER, PolicyName="texts", PolicyDocument=json.dumps(policy))
up = {"url": url, "access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
print(json.dumps(up), flush=True)

for _ in sys.stdin:
    texts = sns_backends[ACCOUNT][REGION].sms_messages
    print(json.dumps({id: list(text) for id, text in texts.items()}), flush=True)
server.stop()
