"""Receives result notifications. Needs Python 3.9 or later, and jwcrypto: pip install jwcrypto

    python3 receiver.py 4000 keys.json [other-keys.json]
"""

import base64
import hashlib
import hmac
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

ACKNOWLEDGEMENT = b'{"response":{"code":"000_000","description":"Success."}}'
ALGORITHMS = ["RSA-OAEP-256", "A128GCM", "A256GCM"]
MAX_BODY_BYTES = 64 * 1024


class Unverified(Exception):
    """The request is not a notification of the service."""


def load_key_sets(files):
    """While keys are changed there are two sets."""
    sets = [json.load(open(file, encoding="utf-8")) for file in files]
    return {keys["cryptoKeyId"]: keys for keys in sets}


PORT, KEY_SETS = int(sys.argv[1]), load_key_sets(sys.argv[2:])
# The highest sequence of each registration. In production: a table, written in one transaction with the result.
sequences = {}
lock = threading.Lock()


def store(result):
    number, sequence = result["bankAccRegNo"], result["sequence"]
    if number.startswith("TEST"):
        return "test notification"
    with lock:
        if sequence <= sequences.get(number, 0):
            return f"repeated {number}"
        sequences[number] = sequence
    return f"stored {number} {result['status']} {result['response']['code']}"


def verify(headers, body):
    keys = KEY_SETS.get(headers["X-KM-Crypto-Key-Id"])
    if keys is None or headers["X-KM-User-AspId"] != keys["aspId"]:
        raise Unverified("unknown key or ASP ID")
    token = re.fullmatch(r"KMV1:\d{17}:([A-Za-z0-9+/]{43}=)", headers["X-KM-Tran-Token"] or "")
    expected = hmac.new(keys["secretKey"].encode(), body, hashlib.sha256).digest()
    if token is None or not hmac.compare_digest(base64.b64decode(token[1]), expected):
        raise Unverified("wrong signature")
    return keys


def decrypt(body, keys):
    try:
        message = JWE(algs=ALGORITHMS)
        message.deserialize(json.loads(body)["encData"])
        message.decrypt(JWK.from_pem(keys["clientPrivateKey"].encode()))
        return json.loads(message.payload)
    except Exception:
        raise Unverified("not encrypted for this key") from None


class Receiver(BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self):
        try:
            body = self.read_body()
            outcome = store(decrypt(body, verify(self.headers, body)))
        except Exception as error:
            # After a 500 the service sends the notification again.
            print(f"refused: {error!r}", file=sys.stderr)
            self.answer(400 if isinstance(error, Unverified) else 500)
        else:
            print(outcome, flush=True)
            self.answer(200, ACKNOWLEDGEMENT)

    def read_body(self):
        # A reverse proxy may send the body in chunks.
        if (self.headers["Transfer-Encoding"] or "").lower() != "chunked":
            return self.read_bytes(self.headers["Content-Length"] or "0", 10, MAX_BODY_BYTES)
        body = bytearray()
        while chunk := self.read_chunk(MAX_BODY_BYTES - len(body)):
            body += chunk
        return body

    def read_chunk(self, limit):
        size, *_ = self.rfile.readline(100).decode("latin-1").split(";")
        chunk = self.read_bytes(size, 16, limit)
        # The line break after the chunk. After the last chunk the connection closes, so trailers are not read.
        self.rfile.readline(100)
        return chunk

    def read_bytes(self, length, base, limit):
        try:
            count = int(length, base)
        except ValueError:
            raise Unverified("malformed length") from None
        if not 0 <= count <= limit:
            raise Unverified("too large")
        return self.rfile.read(count)

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("", PORT), Receiver)
print(f"listening on {PORT}", flush=True)
server.serve_forever()
