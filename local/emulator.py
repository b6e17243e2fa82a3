"""The process of the local cloud: ministack, without two waits that add 85 ms to each invocation.

`server.py` starts it. On AWS neither wait exists.
"""

import socketserver

from ministack.app import main
from ministack.core.lambda_runtime import Worker

# Its runtime API writes headers and body separately. With Nagle's algorithm the body waits 40 ms
# for the function's delayed acknowledgment of the headers.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True

# After an invocation that has logged nothing yet it waits for a first line, 50 ms by default. The
# functions write their lines before they answer; a line that is read later is not lost, but
# reported with the next invocation.
FIRST_LINE_WAIT_S = 0.01
_, *others = Worker._drain_stderr_bounded.__defaults__
Worker._drain_stderr_bounded.__defaults__ = (FIRST_LINE_WAIT_S, *others)

main()
