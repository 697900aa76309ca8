"""What all our sockets are set to, so that a peer that is gone is noticed and a link that healed is
used again soon: the numbers, and the reasons for them, of common/bus/endpoint.c."""
import zmq

from . import catalog

OPTIONS = [(zmq.HEARTBEAT_IVL, 500), (zmq.HEARTBEAT_TIMEOUT, 1500), (zmq.CONNECT_TIMEOUT, 500),
           (zmq.HANDSHAKE_IVL, 2000)]
SIZE_MAX = catalog.FRAME_SIZE_MAX + 64  # with CURVE's box around it
