"""A publisher for tests, in the words of MQTT 3.1.1 itself: what it was told is what the broker said, and nothing is sent behind its
caller's back.

    with mqtt.Publisher(port, "producer-1") as publisher:
        publisher.send("factory/1", b"{...}")        # QoS 1
        publisher.confirmed()                        # waits until all that was sent is acknowledged
"""
import socket
import struct

DEADLINE_S = 5
CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4


class Refused(OSError):
    pass


def _text(value):
    data = value.encode()
    return struct.pack(">H", len(data)) + data


def _packet(kind, flags, body):
    length, head = len(body), bytearray([kind << 4 | flags])
    while True:
        byte, length = length % 128, length // 128
        head.append(byte | (0x80 if length else 0))
        if not length:
            return bytes(head) + body


class Publisher:
    def __init__(self, port, client_id):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
        self.socket.settimeout(DEADLINE_S)
        self.next, self.waiting = 1, set()
        try:
            self.socket.sendall(_packet(CONNECT, 0, _text("MQTT") + bytes([4, 2]) + struct.pack(">H", 0) + _text(client_id)))
            kind, body = self._receive()
            if kind != CONNACK or body[1] != 0:
                raise Refused(f"the broker refuses: {kind} {body!r}")
        except BaseException:
            self.socket.close()
            raise

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise Refused("the broker has gone")
            data += more
        return data

    def _receive(self):
        kind, length, shift = self._exactly(1)[0] >> 4, 0, 0
        while True:
            byte = self._exactly(1)[0]
            length, shift = length | (byte & 0x7f) << shift, shift + 7
            if not byte & 0x80:
                return kind, self._exactly(length)

    def send(self, topic, payload):
        number, self.next = self.next, self.next % 65535 + 1
        self.waiting.add(number)
        self.socket.sendall(_packet(PUBLISH, 2, _text(topic) + struct.pack(">H", number) + payload))

    def confirmed(self):
        while self.waiting:
            kind, body = self._receive()
            if kind == PUBACK:
                self.waiting.discard(struct.unpack(">H", body[:2])[0])

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()
